// What an opened event shows: description, the arithmetic that decided, its changes and the evidence rows.

import { createActions } from './actions.js';
import { get } from './api.js';
import { el, setText, texts } from './dom.js';
import { capital, utc, words } from './format.js';

export function createDetail(id, acted) {
  return el('div', { class: 'event-detail' },
    el('p', { class: 'detail-description' }), el('p', { class: 'detail-inhibited' }),
    createActions(id, acted),
    el('h3', {}, 'Arithmetic'), el('ul', { class: 'detail-arithmetic' }),
    el('h3', {}, 'Changes'), el('ol', { class: 'detail-changes' }),
    el('details', { class: 'detail-evidence' }, el('summary', {}, 'Evidence'), el('pre', { tabindex: '0' })),
    el('p', { class: 'detail-fault', role: 'status' }));
}

/** Loads when opened, and again when the event has moved on since. */
export async function refreshDetail(detail, open, id, version) {
  if (!open || detail.dataset.loaded === version) return;
  detail.dataset.loaded = version;
  const path = `security/events/${encodeURIComponent(id)}`;
  const [event, explanation] = await Promise.allSettled([get(path), get(`${path}/explain`)]);
  if (event.status === 'fulfilled') showEvent(detail, event.value);
  if (explanation.status === 'fulfilled') showExplanation(detail, explanation.value);

  const faults = [event, explanation].filter((result) => result.status === 'rejected').map((result) => result.reason.title ?? String(result.reason));
  setText(detail.querySelector('.detail-fault'), faults.length > 0 ? `Not all detail could be loaded. ${faults[0]}. It is tried again.` : '');
  if (faults.length > 0) setTimeout(() => { if (detail.dataset.loaded === version) delete detail.dataset.loaded; }, 5000);
}

function showEvent(detail, { event, changes = [] }) {
  setText(detail.querySelector('.detail-description'), event?.description ?? '');
  const speaker = event?.inhibited_by ? `Reported under event ${event.inhibited_by}: while that is open, nobody is notified of this one.` : '';
  setText(detail.querySelector('.detail-inhibited'), speaker);
  texts(detail.querySelector('.detail-changes'), 'li', changes.map(changeText));
}

function changeText(change) {
  const by = change.actor ? ` by ${change.actor}` : '';
  return `${utc(change.changed_at)} ${capital(words(change.kind))} as ${change.severity}${by}${change.note ? `: ${change.note}` : ''}`;
}

function showExplanation(detail, { rule, arithmetic = [], evidence = [] }) {
  const heading = detail.querySelector('h3');
  setText(heading, rule ? `Arithmetic of ${rule.id}, version ${rule.version}` : 'Arithmetic');
  texts(detail.querySelector('.detail-arithmetic'), 'li', arithmetic);
  const rows = detail.querySelector('.detail-evidence');
  setText(rows.firstChild, `Evidence (${evidence.length} stored ${evidence.length === 1 ? 'row' : 'rows'})`);
  setText(rows.lastChild, evidence.map((item) => `${item.table} ${JSON.stringify(item.row, null, 2)}`).join('\n'));
}
