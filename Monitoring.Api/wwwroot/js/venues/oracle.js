// The oracle's prices as a heat list: every asset by how far it is off its references, the worst first. An asset opens to its prices.

import { get } from '../api.js';
import { byId, el, keyed, setData, setText, texts } from '../dom.js';
import { ageText, count, duration, number, percent, plural, utc } from '../format.js';
import { isCaughtUp } from '../monitors.js';

const SHOWN = 60;
const GAPS = 3;
const SOURCES = ['binance', 'okx', 'coinbase', 'kraken', 'pyth'];

let chosen = null;
let history = { asset: null, at: null, rows: [] };

export function renderOracle(deviations, watch, now) {
  const rows = deviations ?? [];
  const newest = rows.map((row) => row.timestamp).sort().at(-1);
  setData(byId('oracle'), 'known', String(watch.fresh));
  setText(byId('oracle-age'), headText(deviations, newest, watch, now));
  setText(byId('oracle-summary'), rows.length === 0 ? '' : summary(rows));
  keyed(byId('oracle-list'), rows.slice(0, SHOWN), (row) => row.asset, createCell, (node, row) => updateCell(node, row, watch.fresh));
  byId('oracle-more').hidden = rows.length <= SHOWN;
  if (rows.length > SHOWN) setText(byId('oracle-more'), `${plural(rows.length - SHOWN, 'further asset')}, each off by at most ${percent(rows[SHOWN].max_deviation_pct)}.`);
  renderAsset(rows.find((row) => row.asset === chosen), watch.monitor, now);
}

function headText(deviations, newest, watch, now) {
  if (!deviations) return `NO DATA: ${watch.fault?.title ?? 'no answer yet'}`;
  if (!newest) return `NO DATA: ${watch.fault?.title ?? 'no comparison is stored'}`;
  return ageText(newest, now, watch);
}

function summary(rows) {
  const dangerous = rows.filter((row) => row.is_dangerous).map((row) => row.asset);
  const off = rows.filter((row) => row.severity !== null).length;
  const unjudged = rows.filter((row) => row.risk_score === null).length;
  return `${plural(rows.length, 'asset')} compared, ${off === 0 ? 'none off' : `${count(off)} off`}. `
    + (dangerous.length === 0 ? 'None is dangerous.' : `Dangerous: ${dangerous.join(', ')}.`)
    + (unjudged === 0 ? '' : ` ${count(unjudged)} with too few references to judge.`);
}

function createCell(row) {
  const button = el('button', { type: 'button', class: 'cell', 'aria-pressed': 'false' }, el('span', { class: 'cell-asset' }), el('span', { class: 'cell-value' }));
  button.addEventListener('click', () => {
    chosen = chosen === row.asset ? null : row.asset;
    byId('oracle').dispatchEvent(new CustomEvent('choose', { bubbles: true }));
  });
  return el('li', {}, button);
}

function updateCell(node, row, known) {
  const [asset, value] = node.firstChild.children;
  setData(node.firstChild, 'tone', !known || row.risk_score === null ? 'unknown' : row.severity ?? 'none');
  node.firstChild.style.setProperty('--heat', Math.min(1, row.max_deviation_pct).toFixed(2));
  node.firstChild.setAttribute('aria-pressed', String(row.asset === chosen));
  setText(asset, row.asset);
  setText(value, `${number(row.max_deviation_pct, 2)} %${row.duration_seconds > 0 ? ` · ${duration(row.duration_seconds)}` : ''}${row.is_dangerous ? ' ⚠' : ''}`);
}

function renderAsset(row, monitor, now) {
  byId('oracle-asset').hidden = !row;
  if (!row) return;
  const prices = SOURCES.filter((source) => row[`${source}_price`] !== null).map((source) => `${source} ${price(row[`${source}_price`])}`);
  setText(byId('oracle-asset-title'), row.max_deviation_source !== 'none'
    ? `${row.asset}: ${percent(row.max_deviation_pct)} off ${row.max_deviation_source}`
    : `${row.asset}: a price that nothing has`);
  texts(byId('oracle-asset-facts'), 'li', [
    `Oracle ${price(row.hyperliquid_price)}, mark ${price(row.mark_price)}, ${row.reference_price === null
      ? 'judged without a reference.'
      : `reference ${price(row.reference_price)}, the median of ${plural(row.references, 'source')}.`}`,
    prices.length === 0 ? 'No source has a usable price.' : `${prices.join(' · ')}, in the oracle's quote.`,
    row.left_out.length === 0 ? 'No source was left out.' : `Left out: ${row.left_out.join('; ')}.`,
    `Risk ${number(row.risk_score)} of 100; off for ${duration(row.duration_seconds)}; ${row.severity ? `severity ${row.severity}` : 'no rule fires'}`
      + `${row.floor_pct === null ? '' : `; floor of this asset ${percent(row.floor_pct)}`}.`,
  ]);
  loadPast(row);
  if (history.asset === row.asset) setText(byId('oracle-asset-past'), pastText(history.rows, monitor, now));
}

const price = (value) => Number(value).toLocaleString('en-US', { maximumSignificantDigits: 8 });

function loadPast(row) {
  if (history.asset === row.asset && history.at === row.timestamp) return;
  history = { asset: row.asset, at: row.timestamp, rows: history.asset === row.asset ? history.rows : null };
  const wanted = history;
  get(`security/oracle-deviations/history?asset=${encodeURIComponent(row.asset)}&limit=500`)
    .then((answer) => { wanted.rows = answer.deviations; }, () => { wanted.at = null; });
}

function pastText(rows, monitor, now) {
  if (!rows) return 'The past is being read.';
  if (rows.length === 0) return `No stored check of the last 24 h is off by 0.3 % or more. ${coverage(monitor, now)}`;
  const worst = rows.reduce((a, b) => (b.max_deviation_pct > a.max_deviation_pct ? b : a));
  return `Last 24 h: ${rows.length === 500 ? 'at least ' : ''}${plural(rows.length, 'check')} off by 0.3 % or more, the worst ${percent(worst.max_deviation_pct)} at ${utc(worst.timestamp, now)}. ${coverage(monitor, now)}`;
}

/** How much of the last 24 h the oracle's checks have seen: what was not checked is not known to be in order. */
function coverage(monitor, now) {
  if (!monitor) return 'How often the oracle was checked is not known.';
  const due = Math.floor(86_400 / monitor.interval_seconds);
  const made = Math.min(due, monitor.runs - monitor.failures);
  if (made === 0) return 'The oracle was not checked in that time: nothing is known of it.';
  const succeeded = `${count(made)} of ${plural(due, 'check')} of the oracle succeeded`;
  if (due - made <= 1) return `${succeeded}.`; // the newest may still be under way
  const gaps = (monitor.gap_spans ?? []).filter((span) => !isCaughtUp(span));
  const times = gaps.slice(0, GAPS).map((gap) => `${utc(gap.from, now)} to ${utc(gap.until, now)}`).join(', ');
  return `${succeeded}, nothing is known of the other ${count(due - made)}.`
    + (gaps.length === 0 ? '' : ` Not checked: ${times}${gaps.length > GAPS ? ` and ${plural(gaps.length - GAPS, 'older span')}` : ''}.`);
}
