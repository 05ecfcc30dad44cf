// What may be said at the top of the page. Pure. No data is never all clear: whatever is not known to be
// fresh and low comes out as something that alarms.

import { duration, secondsSince, utc } from './format.js';

/** An answer older than this says nothing about now. */
const SILENCE_SECONDS = 15;

const TONES = { CRITICAL: 'critical', HIGH: 'high', MEDIUM: 'medium', LOW: 'ok' };

/** The service's word, unless the page itself can see that it is worse: age grows while nobody answers. */
export function freshness(monitor, now) {
  if (!monitor.last_success_at) return 'never';
  const limit = Math.max(60, 3 * monitor.interval_seconds);
  if (secondsSince(monitor.last_success_at, now) > limit) return 'stale';
  return ['fresh', 'late', 'stale'].includes(monitor.state) ? monitor.state : 'stale';
}

/** Whether the last answer still speaks of now. */
export const isLive = ({ fault, answeredAt }, now) => !fault && answeredAt > 0 && (now - answeredAt) / 1000 <= SILENCE_SECONDS;

/** The reasons why the picture may be incomplete, one sentence each. */
function blindSpots(dashboard, subjects, now) {
  const spots = [];
  const monitors = dashboard.monitors ?? [];
  if (monitors.length === 0) spots.push('No monitor has reported.');
  for (const monitor of monitors) {
    const state = freshness(monitor, now);
    if (state === 'never') spots.push(`${monitor.name} has never succeeded.`);
    if (state === 'stale') spots.push(`${monitor.name} has not succeeded for ${duration(secondsSince(monitor.last_success_at, now))}.`);
  }
  for (const subject of subjects) spots.push(...subject.blindSpots(dashboard, now, spots.length === 0));
  if (dashboard.database?.database_enabled === false) spots.push('The database is switched off.');
  return spots;
}

/** The one word of the page, its tone and why. */
export function verdict(state, subjects, now) {
  const { dashboard, fault, answeredAt } = state;
  if (!dashboard) {
    return fault ? unknown('UNKNOWN', 'Nothing is known: no valid answer yet.') : unknown('WAITING', 'Waiting for the first answer.');
  }

  const risk = dashboard.overall_risk;
  const level = String(risk?.level ?? '').toUpperCase();
  if (!isLive(state, now)) {
    const last = level ? `Last known: ${level} at ${utc(new Date(answeredAt).toISOString(), now)}.` : '';
    return unknown('UNKNOWN', `The service gives no valid answer. ${last}`);
  }

  const spots = blindSpots(dashboard, subjects, now);
  const grave = level === 'CRITICAL' || level === 'HIGH';
  const nothing = !(dashboard.monitors ?? []).some((monitor) => monitor.last_success_at);
  if (nothing && !grave) return unknown('NO DATA', 'No check has succeeded yet.', spots);
  if (!(level in TONES)) return unknown('UNKNOWN', 'The service names no risk level.', spots);
  if (spots.length > 0 && !grave) return unknown('BLIND', `The service says ${level}, but not everything is watched.`, spots);
  return { level, tone: TONES[level], score: risk.score, why: '', spots };
}

const unknown = (level, why, spots = []) => ({ level, tone: 'unknown', why, spots });
