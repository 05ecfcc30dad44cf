// The vault's past for the chart: pages of snapshots, joined, trimmed to the range, with gaps kept as gaps.

import { get } from '../api.js';

const PAGE = 500;
const UPDATE = 50;
const MOST_PAGES = 20;
const LEAST_HOLE_SECONDS = 60;

/** Rows newest first. Known rows are only topped up; if they no longer join, everything is read again. */
export async function loadHistory(hours, known, now) {
  const newest = known[0]?.timestamp;
  const rows = [];
  let before = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const limit = newest && page === 0 ? UPDATE : PAGE;
    const cursor = before === null ? '' : `&before=${encodeURIComponent(before)}`;
    const answer = await get(`security/hlp-vault/history?hours=${hours}&limit=${limit}${cursor}`);
    const meets = answer.snapshots.findIndex((row) => row.timestamp === newest);
    rows.push(...(meets < 0 ? answer.snapshots : answer.snapshots.slice(0, meets)));
    if (meets >= 0) return { rows: trim([...rows, ...known], hours, now) };
    before = answer.next ?? null;
    if (before === null) return { rows: trim(rows, hours, now), cut: false };
  }
  return { rows, cut: true };
}

/** The rows of the last hours. */
export function trim(rows, hours, now) {
  const start = now - hours * 3600_000;
  return rows.filter((row) => Date.parse(row.timestamp) >= start);
}

/**
 * Columns for the chart, oldest first; a hole of three usual steps becomes a break in the line. What is without data at the
 * beginning and at the end of the window is told in seconds, 0 where it is no more than such a hole.
 */
export function toColumns(rows, from, to) {
  const points = [...rows].reverse().map((row) => [Date.parse(row.timestamp) / 1000, row.account_value, row.pnl_24h ?? null, row.pnl_1h ?? null]);
  const steps = points.slice(1).map((point, index) => point[0] - points[index][0]).sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)] ?? 0;
  const columns = [[], [], [], []];
  let gaps = 0;
  points.forEach((point, index) => {
    const previous = points[index - 1];
    if (previous && usual > 0 && point[0] - previous[0] >= 3 * usual) {
      gaps++;
      columns.forEach((column, at) => column.push(at === 0 ? previous[0] + usual : null));
    }
    columns.forEach((column, at) => column.push(point[at]));
  });
  const beyond = (seconds) => (seconds >= Math.max(LEAST_HOLE_SECONDS, 3 * usual) ? seconds : 0);
  return { columns, gaps, lead: points.length === 0 ? 0 : beyond(points[0][0] - from), tail: points.length === 0 ? 0 : beyond(to - points.at(-1)[0]) };
}
