// Liquidations of the last day by method, and the newest patterns among them.

import { byId, el, keyed, setData, setText } from '../dom.js';
import { capital, count, duration, plural, secondsSince, shortUsd, utc, words } from '../format.js';

export function renderLiquidations(dashboard, monitorFresh, now) {
  const liquidations = dashboard?.liquidations;
  setData(byId('liquidations'), 'known', String(monitorFresh));
  setText(byId('liquidations-age'), ageText(liquidations, monitorFresh, now));
  setText(byId('liquidations-note'), liquidations ? `${gapText(liquidations.coverage)}${liquidations.coverage.note}` : '');
  keyed(byId('liquidations-rows'), liquidations?.by_method ?? [], (row) => row.method, createRow, updateRow);
  byId('liquidations-table').hidden = !liquidations;

  const patterns = liquidations?.patterns ?? [];
  byId('patterns-none').hidden = patterns.length > 0 || !liquidations;
  setText(byId('patterns-none'), monitorFresh ? 'No pattern is stored.' : 'No pattern is stored, but liquidations are not watched now.');
  keyed(byId('patterns'), patterns, (pattern) => pattern.id, () => el('li'), (node, pattern) => setText(node, patternText(pattern, now)));
}

function ageText(liquidations, fresh, now) {
  const at = liquidations?.coverage.last_check_at;
  if (!at) return liquidations ? 'NO DATA: never read' : 'NO DATA: no answer yet';
  const text = `${shortUsd(liquidations.notional_usd)} in ${liquidations.hours} h, read ${duration(secondsSince(at, now))} ago`;
  return fresh ? text : `STALE: ${text}`;
}

const gapText = (coverage) => `Seen through ${plural(coverage.accounts, 'account')}. `
  + (coverage.gaps === 0 ? '' : `${plural(coverage.gaps, 'time')} fills were gone before they could be read. `);

function createRow() {
  return el('tr', {}, el('th', { scope: 'row' }), el('td'), el('td'), el('td', { class: 'wide' }), el('td', { class: 'wide' }));
}

function updateRow(node, row) {
  const [method, liquidations, notional, users, fills] = node.children;
  setText(method, `${methodName(row.method)}${row.is_complete ? '' : ' (sample)'}`);
  setText(liquidations, count(row.liquidations));
  setText(notional, shortUsd(row.notional_usd));
  setText(users, count(row.affected_users));
  setText(fills, count(row.fills));
}

const methodName = (name) => (name === 'adl' ? 'Auto-deleveraging' : capital(name));

function patternText(pattern, now) {
  const impact = pattern.price_impact === 0 ? '' : `, price ${pattern.price_impact > 0 ? '+' : '−'}${Math.abs(pattern.price_impact).toFixed(2)} %`;
  return `${utc(pattern.start_time, now)} ${capital(words(pattern.pattern_type))} ${pattern.subject}: ${plural(pattern.liquidation_count, 'liquidation')} of ${plural(pattern.affected_users, 'account')}, `
    + `${shortUsd(pattern.total_liquidated_usd)} in ${duration(Math.max(1, pattern.duration_seconds))}${impact}; score ${Number(pattern.suspicion_score).toFixed(0)} of 100`;
}
