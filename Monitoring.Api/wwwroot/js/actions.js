// What an operator can do with an open event: acknowledge, resolve, silence. Who did it is recorded by the service.

import { post, serverNow } from './api.js';
import { wantKey } from './connection.js';
import { byId, el, setText } from './dom.js';

const SILENCES = [[1, '1 hour'], [4, '4 hours'], [24, '1 day'], [168, '7 days']];

/** The form of one event; done is called when the service has taken an action. */
export function createActions(id, done) {
  const note = el('input', { type: 'text', maxlength: '1000', placeholder: 'Why, for those who read it later', 'aria-label': 'Note' });
  const hours = el('select', { 'aria-label': 'Silence for' }, ...SILENCES.map(([value, label]) => el('option', { value }, label)));
  const said = el('p', { class: 'actions-said', role: 'status' });
  const path = `security/events/${encodeURIComponent(id)}`;

  const button = (label, act, words) => {
    const node = el('button', { type: 'button' }, label);
    node.addEventListener('click', () => run(act, words));
    return node;
  };
  const acknowledge = button('Acknowledge', () => post(`${path}/acknowledge`, { note: note.value || null }), 'Acknowledged.');
  const resolve = button('Resolve', () => post(`${path}/resolve`, { note: note.value || 'resolved on the page' }), 'Resolved.');
  const silence = button('Silence', () => post('security/silences', {
    event_id: id, until: new Date(serverNow() + hours.value * 3600_000).toISOString(), note: note.value || null,
  }), 'Silenced: no messages until then, watching goes on.');

  const form = el('form', { class: 'actions', 'aria-label': 'Act on this event' },
    el('div', {}, acknowledge, resolve, silence, hours), note, said);
  form.addEventListener('submit', (submit) => {
    submit.preventDefault();
    acknowledge.click();
  });
  return form;

  async function run(act, words) {
    form.setAttribute('aria-busy', 'true');
    setText(said, 'Sending…');
    try {
      await act();
      setText(said, words);
      setText(byId('announcer'), words);
      done();
    } catch (fault) {
      setText(said, fault.status === 401 || fault.status === 403 ? 'This needs a key with the scopes “read” and “operate”.' : `${fault.title}. ${fault.detail ?? ''}`);
      if (fault.status === 401 || fault.status === 403) wantKey();
    } finally {
      form.removeAttribute('aria-busy');
    }
  }
}
