// Hears of every change of an event at once. It only says that something changed; what is shown is always asked for, so a lost
// stream costs a moment and never a truth.

import { open } from './api.js';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const SILENCE_MS = 60_000;

let lastId = '';

/** Listens for ever; pauses longer after each failure in a row. */
export async function listen(changed) {
  let pause = FIRST_PAUSE_MS;
  while (true) {
    try {
      await hear(() => { pause = FIRST_PAUSE_MS; }, changed);
    } catch {
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
    }
    await new Promise((resume) => setTimeout(resume, pause * (0.5 + Math.random() / 2)));
  }
}

async function hear(alive, changed) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await open('security/events/stream', { Accept: 'text/event-stream', ...(lastId && { 'Last-Event-ID': lastId }) }, silence.signal);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    while (true) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      alive();
      const lines = (rest + value).split('\n');
      rest = lines.pop();
      const ids = lines.filter((line) => line.startsWith('id:'));
      if (ids.length === 0) continue;
      lastId = ids.at(-1).slice(3).trim();
      changed();
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}
