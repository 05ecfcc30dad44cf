// The page: asks every two seconds while it is visible and at once when an event changes, and draws every second so that ages move.

import { Fault, get, serverNow } from './api.js';
import { renderChannels } from './channels.js';
import { askForKey, renderConnection } from './connection.js';
import { linkedEvent, renderEvents } from './events.js';
import { number } from './format.js';
import { renderMonitors } from './monitors.js';
import { renderRisk } from './risk.js';
import { listen } from './stream.js';
import { subjects } from './subjects.js';
import { freshness, isLive, verdict } from './verdict.js';

const POLL_MS = 2000;
const DEPTH_MS = 10_000;
const NEWEST = 50;
const state = { dashboard: null, events: [], fault: null, answeredAt: 0 };
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
    for (const subject of subjects) subject.polled(dashboard);
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

/** What subjects read more seldom; nothing waits for it. */
async function readDepth() {
  readingDepth = true;
  depthAt = serverNow();
  const drawings = await Promise.all(subjects.map((subject) => subject.readDepth()));
  readingDepth = false;
  subjects.forEach((subject, index) => {
    try {
      drawings[index]();
    } catch (error) {
      subject.failDepth(new Fault('The page cannot show the answer', error.message, 0));
    }
  });
  render();
}

function render() {
  if (document.hidden) return;
  try {
    draw(serverNow());
  } catch (error) {
    state.fault = new Fault('The page cannot show the answer', error.message, 0);
    const now = serverNow();
    const found = verdict(state, subjects, now);
    renderConnection(state, now);
    renderRisk(null, found);
    setTitle(found);
  }
}

function draw(now) {
  const live = isLive(state, now);
  const found = verdict(state, subjects, now);
  const monitorOf = (name) => state.dashboard?.monitors?.find((monitor) => monitor.name === name);
  const sees = (name) => live && ['fresh', 'late'].includes(monitorOf(name) && freshness(monitorOf(name), now));
  renderConnection(state, now);
  renderRisk(state.dashboard, found);
  renderEvents(state.events, state.dashboard, found.tone !== 'unknown' && found.spots.length === 0, now);
  for (const subject of subjects) subject.render({ dashboard: state.dashboard, live, now, monitorOf, sees });
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

/** A subject shows another range: what it reads more seldom is read now, too. */
function readAnew() {
  depthAt = 0;
  for (const subject of subjects) subject.polled(state.dashboard);
  poll();
}

for (const subject of subjects) subject.start(readAnew, render);
askForKey(hurry);
document.addEventListener('acted', hurry);
addEventListener('hashchange', hurry);
setInterval(render, 1000);
render();
poll();
listen(hurry);
