// The chart's card: the chosen range, when to read again, and the same facts in words.

import { serverNow } from './api.js';
import { clear, draw, hasCharts } from './chart.js';
import { byId, setText } from './dom.js';
import { count, plural, shortUsd, signedUsd, utc } from './format.js';
import { loadHistory, toColumns } from './history.js';

let rows = [];
let cut = false;
let loaded = '';
let busy = false;

const hours = () => Number(document.querySelector('input[name="range"]:checked').value);

export function startHistory() {
  byId('chart-missing').hidden = hasCharts();
  byId('chart').hidden = !hasCharts();
  for (const input of document.querySelectorAll('input[name="range"]')) {
    input.addEventListener('change', () => {
      rows = [];
      loaded = '';
      clear();
      setText(byId('chart-summary'), 'Loading…');
    });
  }
}

/** Reads when the range or the newest snapshot has changed; draws each time, because "now" moves on. */
export async function refreshHistory(newest) {
  if (busy) return;
  busy = true;
  const range = hours();
  const wanted = `${range} ${newest}`;
  try {
    if (loaded !== wanted) {
      const answer = await loadHistory(range, rows, serverNow());
      if (range === hours()) {
        rows = answer.rows;
        cut = answer.cut ?? cut;
        loaded = wanted;
        show(range);
      }
    } else if (rows.length > 0) {
      show(range);
    }
  } catch (fault) {
    setText(byId('chart-summary'), `The history could not be read. ${fault.title ?? fault.message}.`);
  } finally {
    busy = false;
  }
  if (range !== hours()) await refreshHistory(newest);
}

function show(range) {
  const { columns, gaps } = toColumns(rows);
  setText(byId('chart-summary'), summary(columns, gaps, range));
  if (!hasCharts()) return;
  if (rows.length === 0) { clear(); return; }
  const now = serverNow() / 1000;
  draw(columns, Math.max(now - range * 3600, columns[0][0]), now);
}

function summary([times, values, pnl], gaps, range) {
  const label = range === 168 ? '7 d' : `${range} h`;
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return `No snapshot in the last ${label}.`;
  const profits = pnl.filter((value) => value !== null);
  const between = profits.length === 0 ? 'PnL 24 h not known' : `PnL 24 h between ${signedUsd(Math.min(...profits))} and ${signedUsd(Math.max(...profits))}`;
  return `Account value from ${shortUsd(known[0])} to ${shortUsd(known.at(-1))}, lowest ${shortUsd(Math.min(...known))}. ${between}. `
    + `${plural(known.length, 'snapshot')} since ${utc(new Date(times[0] * 1000).toISOString())}, ${gaps === 0 ? 'no gaps' : plural(gaps, 'gap')}.`
    + (cut ? ` Only the newest ${count(known.length)} are shown.` : '');
}
