// One way to draw a time chart with uPlot, which the build puts into lib/.

const HEIGHT = 260;

export const hasCharts = () => typeof globalThis.uPlot === 'function';

/** A chart in this element; describe(kit, columns) answers uPlot's series after the first, its scales and its axes after the first. */
export function chartIn(node, describe) {
  let plot = null;
  let drawn = null;
  let shape = '';

  const size = () => ({ width: Math.max(260, node.clientWidth), height: HEIGHT });

  /** Draws the columns; the range ends now, so that missing recent data is a visible hole. A new shape means other series. */
  function draw(columns, from, to, newShape = '') {
    if (newShape !== shape) clear();
    shape = newShape;
    drawn = { columns, from, to };
    if (!plot) plot = new globalThis.uPlot(options(describe(kit(node), columns)), columns, node);
    plot.batch(() => {
      plot.setData(columns, false);
      plot.setScale('x', { min: from, max: to });
    });
  }

  function clear() {
    plot?.destroy();
    plot = null;
    drawn = null;
  }

  function redraw() {
    if (!drawn) return;
    const { columns, from, to } = drawn;
    clear();
    draw(columns, from, to, shape);
  }

  function options({ scales, series, axes }) {
    const { uPlot } = globalThis;
    return {
      ...size(),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      scales: { x: { time: true }, ...scales },
      cursor: { drag: { x: false, y: false } },
      series: [{ label: 'UTC', value: latest((seconds) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')) }, ...series],
      axes: [{ ...kit(node).axis, space: node.clientWidth < 500 ? 60 : 70, values: clockTicks }, ...axes],
    };
  }

  new ResizeObserver(() => plot?.setSize(size())).observe(node);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  return { draw, clear };
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** What every chart has alike: axes and lines in the page's colours. */
function kit(node) {
  const axis = { stroke: colour('--muted'), font: '12px system-ui, sans-serif', grid: { stroke: colour('--grid'), width: 1 }, ticks: { show: false } };
  return {
    axis: { ...axis, size: node.clientWidth < 500 ? 58 : 70 },
    line: (label, scale, name, format, dash) => ({
      label, scale, stroke: colour(name), width: 2, dash, points: { size: 4 },
      value: latest((value) => (value === null || value === undefined ? 'no data' : format(value))),
    }),
  };
}

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
