// How fresh the vault's snapshot is, and what of it cannot be seen. Pure.

import { secondsSince } from '../format.js';
import { freshness } from '../verdict.js';

/** How fresh the snapshot is, judged by the interval of the monitor that writes it. */
export function vaultFreshness(dashboard, now) {
  const snapshot = dashboard?.hlp_vault;
  if (!snapshot) return 'never';
  const monitor = dashboard.monitors?.find((candidate) => candidate.name === 'hlp-vault');
  const interval = monitor?.interval_seconds ?? 300;
  const age = secondsSince(snapshot.timestamp, now);
  if (age > Math.max(60, 3 * interval)) return 'stale';
  return monitor ? freshness(monitor, now) : 'fresh';
}

/** Why the picture may be incomplete, beyond what the monitors' own freshness says. */
export function blindSpots(dashboard, now, allFresh) {
  if (!dashboard.hlp_vault) return ['No vault snapshot is stored.'];
  return allFresh && vaultFreshness(dashboard, now) === 'stale' ? ['The vault snapshot is old.'] : [];
}
