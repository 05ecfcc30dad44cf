// Says whether the page still hears the service, and asks for a key where the service wants one.

import { rememberKey } from './api.js';
import { byId, setData, setText } from './dom.js';
import { duration, utc } from './format.js';
import { isLive } from './verdict.js';

export function renderConnection(state, now) {
  const { fault, answeredAt } = state;
  const silence = answeredAt ? (now - answeredAt) / 1000 : null;
  const live = isLive(state, now);
  const waiting = !fault && silence === null;
  setData(document.body, 'connection', live ? 'live' : waiting ? 'waiting' : 'lost');
  setText(byId('connection'), live ? `✔ Live, answer ${duration(silence)} ago` : waiting ? 'Connecting…' : '✖ Not connected');
  setText(byId('clock'), utc(new Date(now).toISOString(), now));

  byId('banner').hidden = live || waiting;
  if (live || waiting) return;
  setText(byId('banner-title'), fault?.title ?? 'The service is silent');
  setText(byId('banner-detail'), fault?.detail ?? '');
  setText(byId('banner-since'), silence === null
    ? 'Nothing has been received yet. This is not all clear.'
    : `Last valid answer ${duration(silence)} ago, at ${utc(new Date(answeredAt).toISOString(), now)}. What is shown below is old. This is not all clear.`);
  if (fault?.status === 401 || fault?.status === 403) wantKey();
}

export function wantKey() {
  byId('key-form').hidden = false;
}

export function askForKey(retry) {
  byId('key-form').addEventListener('submit', (submit) => {
    submit.preventDefault();
    rememberKey(byId('key').value.trim());
    byId('key').value = '';
    setText(byId('key-said'), '');
    byId('key-form').hidden = true;
    retry();
  });
  document.addEventListener('keyrefused', ({ detail: status }) => {
    wantKey();
    setText(byId('key-said'), status === 403
      ? 'The key that was entered lacks the scope “read” and is forgotten.'
      : 'The key that was entered is refused and forgotten.');
  });
}
