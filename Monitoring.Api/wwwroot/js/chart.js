// Draws account value (left scale) and PnL (right scale) with uPlot, which the build puts into lib/.

import { byId } from './dom.js';
import { signedUsd, tickUsd, usd } from './format.js';

let plot = null;
let drawn = null;

export const hasCharts = () => typeof globalThis.uPlot === 'function';

/** Draws the columns; the range ends now, so that missing recent data is a visible hole. */
export function draw(columns, from, to) {
  drawn = { columns, from, to };
  if (!plot) plot = new globalThis.uPlot(options(), columns, byId('chart'));
  plot.batch(() => {
    plot.setData(columns, false);
    plot.setScale('x', { min: from, max: to });
  });
}

export function clear() {
  plot?.destroy();
  plot = null;
  drawn = null;
}

function redraw() {
  if (!drawn) return;
  const { columns, from, to } = drawn;
  clear();
  draw(columns, from, to);
}

const size = () => ({ width: Math.max(260, byId('chart').clientWidth), height: 260 });
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Without a cursor the legend shows the newest point. */
const latest = (format) => (plotted, value, series, index) => format(index === null ? plotted.data[series].at(-1) : value);

/** 24-hour times, with the day wherever it changes. */
function clockTicks(_, ticks, axis, space, step) {
  let shown = '';
  return ticks.map((seconds) => {
    const at = new Date(seconds * 1000);
    const day = at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
    const time = at.toISOString().slice(11, step < 60 ? 19 : 16);
    const text = step >= 86400 ? day : day === shown ? time : `${time}\n${day}`;
    shown = day;
    return text;
  });
}

function options() {
  const { uPlot } = globalThis;
  const font = '12px system-ui, sans-serif';
  const narrow = byId('chart').clientWidth < 500;
  const axis = { stroke: colour('--muted'), font, grid: { stroke: colour('--grid'), width: 1 }, ticks: { show: false } };
  const line = (label, scale, name, format, dash) => ({
    label, scale, stroke: colour(name), width: 2, dash, points: { size: 4 },
    value: latest((value) => (value === null || value === undefined ? 'no data' : format(value))),
  });
  const money = (_, ticks, index, space, step) => ticks.map((tick) => tickUsd(tick, step));
  return {
    ...size(),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    scales: { x: { time: true }, value: {}, pnl: {} },
    cursor: { drag: { x: false, y: false } },
    series: [
      { label: 'UTC', value: latest((seconds) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')) },
      line('Account value', 'value', '--series-value', usd),
      line('PnL 24 h', 'pnl', '--series-pnl', signedUsd),
      line('PnL 1 h', 'pnl', '--series-pnl-hour', signedUsd, [6, 4]),
    ],
    axes: [
      { ...axis, space: narrow ? 60 : 70, values: clockTicks },
      { ...axis, scale: 'value', size: narrow ? 58 : 70, values: money },
      { ...axis, scale: 'pnl', side: 1, size: narrow ? 58 : 70, grid: { show: false }, values: money },
    ],
  };
}

new ResizeObserver(() => plot?.setSize(size())).observe(byId('chart'));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
