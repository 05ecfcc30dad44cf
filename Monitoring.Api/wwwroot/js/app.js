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
const state = { dashboard: null, events: [], deviations: null, holdings: null, fault: null, answeredAt: 0 };
let depthAt = 0;
let timer = 0;
let asking = false;
let askAgain = false;

async function poll() {
  if (asking || document.hidden) return;
  clearTimeout(timer);
  asking = true;
  try {
    const [dashboard, events, linked] = await Promise.all([get('security/dashboard'), get('security/events?limit=50'), readLinked()]);
    Object.assign(state, { dashboard, events: [...events.events, ...linked], fault: null, answeredAt: serverNow() });
    refreshHistory(dashboard.hlp_vault?.timestamp);
    if (serverNow() - depthAt >= DEPTH_MS) await readDepth();
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

/** The event that a message's link names, #/events/{id}, whether it is open or not. */
async function readLinked() {
  const id = linkedEvent();
  if (!id || state.dashboard && state.events.some((event) => event.id === id && event.status !== 'resolved')) return [];
  try {
    return [(await get(`security/events/${id}`)).event];
  } catch (fault) {
    if (fault.status === 404) return [];
    throw fault;
  }
}

/** Something has changed: asks now, or again if an answer is under way that may be older. */
function hurry() {
  if (asking) askAgain = true;
  else poll();
}

/** What is below the first screen changes more slowly and costs more. */
async function readDepth() {
  const [deviations, holdings] = await Promise.all([get('security/oracle-deviations?active_only=false'), get(`security/hlp-vault/holdings?hours=${hours()}`)]);
  Object.assign(state, { deviations: deviations.deviations, holdings });
  depthAt = serverNow();
  drawHoldings(holdings, depthAt);
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
  const sees = (name) => live && state.dashboard.monitors.some((monitor) => monitor.name === name && ['fresh', 'late'].includes(freshness(monitor, now)));
  renderConnection(state, now);
  renderRisk(state.dashboard, found);
  renderVault(state.dashboard, live, now);
  renderEvents(state.events, state.dashboard, found.tone !== 'unknown' && found.spots.length === 0, now);
  renderOracle(state.deviations, sees('oracle'), now);
  renderHoldings(state.holdings, sees('inventory'), now);
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
askForKey(poll);
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
