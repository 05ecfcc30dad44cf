// The page: asks every two seconds while it is visible and at once when an event changes, and draws every second so that ages move.

import { Fault, get, serverNow } from './api.js';
import { renderChannels } from './channels.js';
import { askForKey, renderConnection } from './connection.js';
import { linkedEvent, renderEvents } from './events.js';
import { number } from './format.js';
import { refreshHistory, startHistory } from './history-card.js';
import { drawHoldings, renderHoldings } from './holdings.js';
import { renderLiquidations } from './liquidations.js';
import { renderMonitors } from './monitors.js';
import { renderOracle } from './oracle.js';
import { hours, onRange } from './range.js';
import { renderRisk } from './risk.js';
import { listen } from './stream.js';
import { renderVault } from './vault.js';
import { freshness, isLive, verdict } from './verdict.js';

const POLL_MS = 2000;
const DEPTH_MS = 10_000;
const NEWEST = 50;
const state = { dashboard: null, events: [], deviations: null, holdings: null, deviationsFault: null, holdingsFault: null, fault: null, answeredAt: 0 };
let depthAt = 0;
let readingDepth = false;
let timer = 0;
let asking = false;
let askAgain = false;

async function poll() {
  if (asking || document.hidden) return;
  clearTimeout(timer);
  asking = true;
  try {
    const [dashboard, events] = await Promise.all([get('security/dashboard'), readEvents()]);
    Object.assign(state, { dashboard, events, fault: null, answeredAt: serverNow() });
    refreshHistory(dashboard.hlp_vault?.timestamp);
    if (!readingDepth && serverNow() - depthAt >= DEPTH_MS) readDepth();
  } catch (fault) {
    state.fault = fault;
  }
  render();
  asking = false;
  if (askAgain) {
    askAgain = false;
    return poll();
  }
  if (!document.hidden) timer = setTimeout(poll, Math.max(POLL_MS, 1000 * (state.fault?.retryAfter ?? 0)));
}

/** The open events, the gravest even when many newer ones are open, and the one that a message's link names, #/events/{id}, whether it is open or not. */
async function readEvents() {
  const { events } = await get(`security/events?limit=${NEWEST}`);
  if (events.length === NEWEST && events.every((event) => event.status !== 'resolved')) {
    const graver = await Promise.all(['critical', 'high'].map((severity) => get(`security/events?severity=${severity}&limit=200`)));
    events.push(...graver.flatMap((answer) => answer.events.filter((event) => event.status !== 'resolved')));
  }
  const id = linkedEvent();
  if (!id || events.some((event) => event.id === id)) return events;
  const known = state.events.filter((event) => event.id === id);
  const linked = await get(`security/events/${id}`).then((answer) => [answer.event], (fault) => (fault.status === 404 ? [] : known));
  return [...events, ...linked];
}

/** Something has changed: asks now, or again if an answer is under way that may be older. */
function hurry() {
  if (asking) askAgain = true;
  else poll();
}

/** What is below the first screen changes more slowly and costs more; nothing waits for it, and a fault of it marks its card alone. */
async function readDepth() {
  readingDepth = true;
  depthAt = serverNow();
  const range = hours();
  const keep = (name, answer, fault) => {
    if (!fault) state[name] = answer;
    state[`${name}Fault`] = fault;
  };
  await Promise.all([
    get('security/oracle-deviations?active_only=false').then((answer) => keep('deviations', answer.deviations, null), (fault) => keep('deviations', null, fault)),
    get(`security/hlp-vault/holdings?hours=${range}`).then((answer) => keep('holdings', answer, null), (fault) => keep('holdings', null, fault)),
  ]);
  readingDepth = false;
  try {
    if (range === hours()) drawHoldings(state.holdings, state.holdingsFault, serverNow());
  } catch (error) {
    state.holdingsFault = new Fault('The page cannot show the answer', error.message, 0);
  }
  render();
}

function render() {
  if (document.hidden) return;
  try {
    draw(serverNow());
  } catch (error) {
    state.fault = new Fault('The page cannot show the answer', error.message, 0);
    const now = serverNow();
    const found = verdict(state, now);
    renderConnection(state, now);
    renderRisk(null, found);
    setTitle(found);
  }
}

function draw(now) {
  const live = isLive(state, now);
  const found = verdict(state, now);
  const monitorOf = (name) => state.dashboard?.monitors?.find((monitor) => monitor.name === name);
  const sees = (name) => live && ['fresh', 'late'].includes(monitorOf(name) && freshness(monitorOf(name), now));
  renderConnection(state, now);
  renderRisk(state.dashboard, found);
  renderVault(state.dashboard, live, now);
  renderEvents(state.events, state.dashboard, found.tone !== 'unknown' && found.spots.length === 0, now);
  renderOracle(state.deviations, { fresh: sees('oracle') && !state.deviationsFault, fault: state.deviationsFault, monitor: monitorOf('oracle') }, now);
  renderHoldings(state.holdings, { fresh: sees('inventory') && !state.holdingsFault, fault: state.holdingsFault }, now);
  renderLiquidations(state.dashboard, sees('liquidations'), now);
  renderChannels(state.dashboard, live, now);
  renderMonitors(state.dashboard?.monitors ?? [], live, now);
  setTitle(found);
}

function setTitle({ level, score }) {
  document.title = `${level}${score === undefined ? '' : ` ${number(score)}`} · DeFi risk monitor`;
}

// A hidden page asks nothing, so its title must not go on saying that all is well.
document.addEventListener('visibilitychange', () => {
  clearTimeout(timer);
  if (document.hidden) document.title = 'Paused · DeFi risk monitor';
  else poll();
});

startHistory();
askForKey(hurry);
onRange(() => {
  depthAt = 0;
  refreshHistory(state.dashboard?.hlp_vault?.timestamp);
  poll();
});
document.addEventListener('choose', render);
document.addEventListener('acted', hurry);
addEventListener('hashchange', hurry);
setInterval(render, 1000);
render();
poll();
listen(hurry);
