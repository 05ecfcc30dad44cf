// The chart's card: the chosen range, when to read again, and the same facts in words.

import { serverNow } from '../api.js';
import { chartIn, hasCharts } from '../chart.js';
import { byId, setText } from '../dom.js';
import { count, duration, plural, shortUsd, signedUsd, tickUsd, usd, utc } from '../format.js';
import { loadHistory, toColumns, trim } from './history.js';
import { hours, onRange, rangeLabel } from './range.js';

/** Account value on the left scale, PnL on the right one. */
const chart = chartIn(byId('chart'), ({ axis, line }) => {
  const money = (_, ticks, index, space, step) => ticks.map((tick) => tickUsd(tick, step));
  return {
    scales: { value: {}, pnl: {} },
    series: [
      line('Account value', 'value', '--series-1', usd),
      line('PnL 24 h', 'pnl', '--series-2', signedUsd),
      line('PnL 1 h', 'pnl', '--series-3', signedUsd, [6, 4]),
    ],
    axes: [{ ...axis, scale: 'value', values: money }, { ...axis, scale: 'pnl', side: 1, grid: { show: false }, values: money }],
  };
});

let rows = [];
let cut = false;
let loaded = '';
let busy = false;

export function startHistory() {
  byId('chart-missing').hidden = hasCharts();
  byId('chart').hidden = !hasCharts();
  onRange(() => {
    rows = [];
    loaded = '';
    chart.clear();
    setText(byId('chart-summary'), 'Loading…');
  });
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
  rows = trim(rows, range, serverNow());
  const now = serverNow() / 1000;
  const found = toColumns(rows, now - range * 3600, now);
  const { columns } = found;
  setText(byId('chart-summary'), summary(found, range));
  if (!hasCharts()) return;
  if (rows.length === 0) { chart.clear(); return; }
  chart.draw(columns, Math.max(now - range * 3600, columns[0][0]), now);
}

function summary({ columns: [times, values, pnl], gaps, lead, tail }, range) {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return `No snapshot in the last ${rangeLabel(range)}.`;
  const profits = pnl.filter((value) => value !== null);
  const between = profits.length === 0 ? 'PnL 24 h not known' : `PnL 24 h between ${signedUsd(Math.min(...profits))} and ${signedUsd(Math.max(...profits))}`;
  return `Account value from ${shortUsd(known[0])} to ${shortUsd(known.at(-1))}, lowest ${shortUsd(Math.min(...known))}. ${between}. `
    + `${plural(known.length, 'snapshot')} since ${utc(new Date(times[0] * 1000).toISOString())}, ${gaps > 0 ? plural(gaps, 'gap') : lead + tail > 0 ? 'no gaps between them' : 'no gaps'}.`
    + edges(cut ? 0 : lead, tail)
    + (cut ? ` Only the newest ${count(known.length)} are shown.` : '');
}

/** Where the window begins before the data or ends after it. */
function edges(lead, tail) {
  const missing = [lead > 0 ? `the first ${duration(lead)}` : '', tail > 0 ? `the last ${duration(tail)}` : ''].filter(Boolean);
  return missing.length === 0 ? '' : ` No snapshot in ${missing.join(' and ')}.`;
}
