// Open events, gravest first. A new critical one is spoken to screen readers.

import { byId, el, keyed, setData, setText } from './dom.js';
import { createDetail, refreshDetail } from './event-detail.js';
import { duration, plural, secondsSince, utc } from './format.js';

const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'];
const ICONS = { critical: '✖', high: '▲', medium: '◆', low: '●', info: 'i' };
const announced = new Set();

let shown = null;

/** The id in the page's address, as messages link to it. */
export const linkedEvent = () => /^#\/events\/([0-9a-f-]{36})$/.exec(location.hash)?.[1] ?? null;

export function renderEvents(events, dashboard, trusted, now) {
  const known = [...new Map(events.map((event) => [event.id, event])).values()];
  const open = known.filter((event) => event.status !== 'resolved').sort(graver);
  const linked = known.filter((event) => event.id === linkedEvent() && event.status === 'resolved');
  const total = dashboard?.open_events?.total ?? open.length;
  renderCounts(dashboard?.open_events);
  keyed(byId('events-list'), [...linked, ...open], (event) => event.id, createEvent, (node, event) => updateEvent(node, event, now));

  const none = byId('events-none');
  none.hidden = open.length > 0;
  setData(none, 'tone', trusted && total === 0 ? 'ok' : 'unknown');
  setText(none, emptyText(dashboard, total, trusted));
  byId('events-more').hidden = total <= open.length || open.length === 0;
  setText(byId('events-more'), `${plural(total - open.length, 'further open event')} not listed here.`);
  announce(open);
  showLinked();
}

/** Opens what the address names, once for each address. */
function showLinked() {
  const id = linkedEvent();
  if (id === shown) return;
  const node = [...byId('events-list').children].find((candidate) => candidate.dataset.key === id);
  if (!node) return;
  shown = id;
  node.firstChild.open = true;
  node.scrollIntoView({ block: 'nearest' });
}

function graver(a, b) {
  return SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity)
    || Number(a.status === 'acknowledged') - Number(b.status === 'acknowledged')
    || Date.parse(b.first_seen_at) - Date.parse(a.first_seen_at);
}

function renderCounts(counts) {
  const present = SEVERITIES.filter((severity) => counts?.[severity] > 0);
  keyed(byId('events-counts'), present, (severity) => severity,
    (severity) => el('li', { class: 'badge', 'data-tone': severity }),
    (node, severity) => setText(node, `${ICONS[severity]} ${counts[severity]} ${severity}`));
}

function emptyText(dashboard, total, trusted) {
  if (!dashboard) return 'Events are not known yet.';
  if (total > 0) return `${plural(total, 'open event')}; the list is not known yet.`;
  const day = dashboard.database?.security_events_24h;
  const past = day ? ` Last 24 h: ${plural(day.total ?? 0, 'event')}, ${day.critical ?? 0} critical.` : '';
  return trusted ? `No open events.${past}` : `No open event is stored, but this is not all clear: not everything is watched.${past}`;
}

function createEvent(event) {
  const detail = createDetail(event.id, () => document.dispatchEvent(new CustomEvent('acted')));
  const node = el('li', { class: 'event' },
    el('details', {},
      el('summary', {}, el('span', { class: 'badge' }), el('span', { class: 'event-title' }), el('span', { class: 'event-meta' })),
      detail));
  node.firstChild.addEventListener('toggle', () => refreshDetail(detail, node.firstChild.open, event.id, node.dataset.version));
  return node;
}

function updateEvent(node, event, now) {
  const [badge, title, meta] = node.firstChild.firstChild.children;
  const tone = SEVERITIES.includes(event.severity) ? event.severity : 'unknown';
  setData(node, 'tone', tone);
  setData(badge, 'tone', tone);
  setText(badge, `${ICONS[tone] ?? '?'} ${event.severity}`);
  setText(title, event.title);
  const since = `since ${utc(event.first_seen_at, now)} (${duration(secondsSince(event.first_seen_at, now))})`;
  const by = event.acknowledged_by ? ` by ${event.acknowledged_by}` : '';
  setText(meta, `${event.status}${by} ${since} · seen ${event.occurrences === 1 ? 'once' : `${event.occurrences} times`} · ${event.rule_id}`);
  setData(node, 'version', `${event.status} ${event.severity} ${event.occurrences}`);
  refreshDetail(node.firstChild.lastChild, node.firstChild.open, event.id, node.dataset.version);
}

function announce(open) {
  const fresh = open.filter((event) => event.severity === 'critical' && !announced.has(event.id));
  if (fresh.length === 0) return;
  for (const event of fresh) announced.add(event.id);
  setText(byId('announcer'), `Critical: ${fresh.map((event) => event.title).join('. ')}`);
}
