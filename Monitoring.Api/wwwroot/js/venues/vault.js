// The vault's card: figures, the anomaly score with its three parts, health issues, age.

import { byId, setData, setText, texts } from '../dom.js';
import { NOT_KNOWN, duration, number, percent, secondsSince, shortUsd, signedUsd, usd, utc } from '../format.js';
import { vaultFreshness } from './freshness.js';

const PARTS = [['loss', 40], ['drawdown', 30], ['volatility', 30]];

export function renderVault(dashboard, live, now) {
  const snapshot = dashboard?.hlp_vault ?? {};
  const fresh = vaultFreshness(dashboard, now);
  setData(byId('vault'), 'freshness', fresh);

  const age = secondsSince(snapshot.timestamp, now);
  setText(byId('vault-age'), dashboard ? ageText(fresh, age, snapshot.timestamp, now) : 'NO DATA: no answer yet');
  setText(byId('vault-address'), snapshot.vault_address ?? '');

  setText(byId('vault-account-value'), usd(snapshot.account_value));
  for (const window of ['1h', '24h', '7d']) {
    const node = byId(`vault-pnl-${window}`);
    const value = snapshot[`pnl_${window}`];
    setText(node, signedUsd(value));
    setData(node, 'sign', value < 0 ? 'loss' : value > 0 ? 'gain' : 'none');
    node.title = usd(value);
  }
  setText(byId('vault-drawdown'), percent(snapshot.drawdown_pct));
  setText(byId('vault-tvl'), shortUsd(snapshot.total_value_locked));

  const trusted = live && (fresh === 'fresh' || fresh === 'late');
  renderAnomaly(snapshot, trusted);
  renderHealth(snapshot, trusted);
}

function ageText(fresh, age, timestamp, now) {
  if (fresh === 'never') return 'NO DATA: no snapshot is stored';
  const text = `${duration(age)} old (${utc(timestamp, now)})`;
  return fresh === 'fresh' ? text : `${fresh.toUpperCase()}: ${text}`;
}

function renderAnomaly(snapshot, trusted) {
  const score = snapshot.anomaly_score;
  setText(byId('anomaly-score'), number(score));
  setData(byId('anomaly'), 'tone', trusted ? toneOf(score) : 'unknown');
  for (const [name, most] of PARTS) {
    const value = snapshot[`${name}_score`];
    setText(byId(`anomaly-${name}`), value >= 0 ? `${number(value)} of ${most}` : NOT_KNOWN);
    byId(`anomaly-${name}-bar`).style.width = `${Math.min(100, (100 * (Number(value) || 0)) / most)}%`;
  }
}

function toneOf(score) {
  if (!(score >= 0)) return 'unknown';
  return score >= 70 ? 'critical' : score >= 50 ? 'high' : score >= 30 ? 'medium' : 'ok';
}

function renderHealth(snapshot, trusted) {
  const issues = snapshot.health_issues ?? [];
  const healthy = snapshot.is_healthy === true && issues.length === 0;
  const last = snapshot.timestamp ? `, last known: ${healthy ? 'healthy' : 'unhealthy'}` : '';
  setData(byId('health'), 'tone', !trusted ? 'unknown' : healthy ? 'ok' : 'high');
  setText(byId('health-state'), !trusted ? `Health unknown${last}` : healthy ? '✔ Healthy' : '▲ Unhealthy');
  texts(byId('health-issues'), 'li', issues);
}
