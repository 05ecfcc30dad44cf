// Who watches, and whether they still do.

import { byId, el, keyed, setData, setText, texts } from './dom.js';
import { count, duration, plural, secondsSince, utc, words } from './format.js';
import { freshness } from './verdict.js';

const ICONS = { fresh: '✔', late: '◆', stale: '▲', never: '✖' };
const SPANS = 8;
const ORDER = ['never', 'stale', 'late', 'fresh'];

export function renderMonitors(monitors, live, now) {
  const rows = monitors.map((monitor) => ({ ...monitor, freshness: freshness(monitor, now) }));
  const bad = rows.filter((row) => row.freshness !== 'fresh').length;
  rows.sort((a, b) => ORDER.indexOf(a.freshness) - ORDER.indexOf(b.freshness) || a.name.localeCompare(b.name));

  setText(byId('monitors-summary'), summary(rows.length, bad, live));
  setData(byId('monitors-summary'), 'alarm', String(!live || rows.length === 0 || bad > 0));
  byId('monitors-table').hidden = rows.length === 0;
  keyed(byId('monitors-rows'), rows, (row) => row.name, createRow, (node, row) => updateRow(node, row, live, now));
  const gaps = rows.flatMap((row) => (row.gap_spans ?? []).map((span) => ({ ...span, name: row.name }))).sort((a, b) => b.until.localeCompare(a.until));
  byId('gaps-title').hidden = gaps.length === 0;
  texts(byId('monitors-gaps'), 'li', [...gaps.slice(0, SPANS).map((gap) => gapText(gap, now)),
    ...(gaps.length > SPANS ? [`${plural(gaps.length - SPANS, 'older span')} not listed here.`] : [])]);
  texts(byId('monitors-errors'), 'li', rows.filter((row) => row.last_error).map((row) => errorText(row, now)));
}

function summary(all, bad, live) {
  if (!live) return 'Not known now';
  if (all === 0) return 'No monitor has reported';
  return bad === 0 ? `All ${all} fresh` : `${bad} of ${all} not fresh`;
}

function createRow() {
  return el('tr', {},
    el('th', { scope: 'row' }),
    el('td', {}, el('span', { class: 'state' })),
    el('td', { class: 'monitor-age' }),
    el('td', { class: 'wide' }), el('td', { class: 'wide' }), el('td'), el('td'), el('td', { class: 'wide' }));
}

function updateRow(node, row, live, now) {
  const [head, state, age, interval, runs, failures, gaps, p99] = node.children;
  const known = live || row.freshness === 'stale' || row.freshness === 'never';
  setData(node, 'state', known ? row.freshness : 'unknown');
  setText(head, row.name);
  setText(state.firstChild, known ? `${ICONS[row.freshness]} ${row.freshness}` : `? was ${row.freshness}`);
  setText(age, row.last_success_at ? duration(secondsSince(row.last_success_at, now)) : 'never');
  setText(interval, duration(row.interval_seconds));
  setText(runs, count(row.runs));
  setText(failures, count(row.failures));
  setText(gaps, count(row.gaps));
  setData(failures, 'alarm', String(row.failures > 0));
  setData(gaps, 'alarm', String(row.gaps > 0));
  setText(p99, row.p99_ms === null || row.p99_ms === undefined ? 'no data' : `${count(Math.round(row.p99_ms))} ms`);
}

/** Whether the data of a gap is there by now. */
export const isCaughtUp = (gap) => gap.reason === 'database_away' || gap.reason === 'late';

function gapText(gap, now) {
  return `${gap.name}: ${plural(gap.count, 'check')} from ${utc(gap.from, now)} to ${utc(gap.until, now)}, ${words(gap.reason)}${isCaughtUp(gap) ? ', its data came later' : ''}`;
}

function errorText(row, now) {
  const since = row.last_error_at ? `${duration(secondsSince(row.last_error_at, now))} ago` : 'at an unknown time';
  return `${row.name}, last error ${since}: ${row.last_error}`;
}

