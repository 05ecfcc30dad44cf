// What the component vaults hold most of: a list of the largest positions now, and their share of the vault's equity over time.

import { chartIn, hasCharts } from '../chart.js';
import { byId, el, keyed, setData, setText } from '../dom.js';
import { NOT_KNOWN, ageText, duration, number, percent, plural, shortUsd, signedUsd } from '../format.js';
import { hours, rangeLabel } from './range.js';

const LIMITS = [[50, 'critical'], [30, 'high'], [15, 'medium']];

const chart = chartIn(byId('holdings-chart'), ({ axis, line }, columns) => ({
  scales: { share: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
  series: labels.slice(0, columns.length - 1).map((label, index) => line(label, 'share', `--series-${index + 1}`, percent, index > 2 ? [6, 4] : undefined)),
  axes: [{ ...axis, scale: 'share', values: (_, ticks) => ticks.map((tick) => `${tick} %`) }],
}));

let labels = [];

export function renderHoldings(answer, watch, now) {
  const positions = answer?.positions ?? [];
  setData(byId('holdings'), 'known', String(watch.fresh));
  setText(byId('holdings-age'), headText(answer, watch, now));
  keyed(byId('holdings-rows'), positions, (position) => `${position.vault_address} ${position.coin}`, createRow, updateRow);
  byId('holdings-table').hidden = positions.length === 0;
}

/** Draws the past; a slot in which a holding was not seen is a hole in its line. What was drawn stays when the past could not be read. */
export function drawHoldings(answer, fault, now) {
  if (fault) {
    setText(byId('holdings-summary'), `The positions of the last ${rangeLabel(hours())} could not be read. ${fault.title}.`);
    return;
  }
  const holdings = answer?.holdings ?? [];
  const peaks = holdings.flatMap(({ points }) => points.map((point) => point.share_pct)).filter((share) => share !== null);
  setText(byId('holdings-summary'), peaks.length === 0
    ? `No position is stored for the last ${rangeLabel(hours())}.`
    : `Share of the vault's equity in the last ${rangeLabel(hours())}, largest of each ${duration(answer.slot_seconds)}: at most ${percent(Math.max(...peaks))}. `
      + 'A hole in a line: not held, or not seen.');
  byId('holdings-chart').hidden = !hasCharts() || peaks.length === 0;
  if (!hasCharts() || peaks.length === 0) return;

  labels = holdings.map((holding) => `${holding.coin} in ${short(holding.vault_address)}`);
  const times = [...new Set(holdings.flatMap(({ points }) => points.map((point) => Date.parse(point.timestamp) / 1000)))].sort((a, b) => a - b);
  const columns = [withHoles(times, answer.slot_seconds)];
  for (const { points } of holdings) {
    const shares = new Map(points.map((point) => [Date.parse(point.timestamp) / 1000, point.share_pct]));
    columns.push(columns[0].map((time) => shares.get(time) ?? null));
  }
  chart.draw(columns, Math.max(now / 1000 - hours() * 3600, columns[0][0]), now / 1000, labels.join());
}

/** A time without a value wherever more than a slot is missing, so that no line bridges it. */
function withHoles(times, slot) {
  return times.flatMap((time, index) => (index > 0 && time - times[index - 1] > 1.5 * slot ? [times[index - 1] + slot, time] : [time]));
}

function headText(answer, watch, now) {
  if (!answer) return `NO DATA: ${watch.fault?.title ?? 'no answer yet'}`;
  if (!answer.timestamp) return watch.fresh ? 'No open position' : `NO DATA: ${watch.fault?.title ?? 'no position is stored'}`;
  return ageText(answer.timestamp, now, watch, `${plural(answer.position_count, 'position')}, `);
}

const short = (address) => `${address.slice(0, 6)}…${address.slice(-4)}`;

function createRow() {
  return el('tr', {}, el('th', { scope: 'row' }), el('td', { class: 'wide' }), el('td'), el('td'),
    el('td', {}, el('span', { class: 'share' })), el('td', { class: 'wide' }), el('td', { class: 'wide' }));
}

function updateRow(node, position) {
  const [coin, vault, side, notional, share, interest, pnl] = node.children;
  setText(coin, position.coin);
  setText(vault, short(position.vault_address));
  vault.title = position.vault_address;
  setText(side, position.size < 0 ? 'short' : 'long');
  setText(notional, shortUsd(position.notional_usd));
  setText(share.firstChild, percent(position.share_pct));
  setData(share.firstChild, 'tone', LIMITS.find(([limit]) => position.share_pct >= limit)?.[1] ?? 'none');
  setText(interest, position.open_interest_pct === null ? NOT_KNOWN : `${number(position.open_interest_pct)} %`);
  setText(pnl, signedUsd(position.unrealized_pnl));
  setData(pnl, 'sign', position.unrealized_pnl < 0 ? 'loss' : 'gain');
}
