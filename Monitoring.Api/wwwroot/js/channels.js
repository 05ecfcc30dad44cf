// Whether messages leave: each channel with whether a worker has it, what waits, what was lost, and whether it has been proven lately.

import { byId, el, keyed, setData, setText } from './dom.js';
import { count, duration, plural, secondsSince } from './format.js';

const LATE_SECONDS = 60;

export function renderChannels(dashboard, live, now) {
  const proofs = new Map((dashboard?.channels ?? []).map((proof) => [proof.channel, proof]));
  const deliveries = new Map((dashboard?.notifications?.channels ?? []).map((delivery) => [delivery.channel, delivery]));
  const channels = [...new Set([...proofs.keys(), ...deliveries.keys()])].sort()
    .map((name) => ({ name, faults: faultsOf(deliveries.get(name), proofs.get(name)), last: deliveries.get(name)?.last_delivered_at ?? proofs.get(name)?.proven_at }));
  const bad = channels.filter((channel) => channel.faults.length > 0).length;
  setText(byId('channels-summary'), summary(channels.length, bad, live && dashboard));
  setData(byId('channels-summary'), 'alarm', String(!live || channels.length === 0 || bad > 0));
  keyed(byId('channels-list'), channels, (channel) => channel.name, () => el('li', {}, el('strong'), el('span')), (node, channel) => {
    setData(node, 'tone', !live ? 'unknown' : channel.faults.length === 0 ? 'ok' : 'high');
    setText(node.firstChild, channel.name);
    const last = channel.last ? `last message ${duration(secondsSince(channel.last, now))} ago` : 'no message yet';
    setText(node.lastChild, ` ${[...channel.faults, last].join('; ')}`);
  });
}

function summary(all, bad, known) {
  if (!known) return 'Not known now';
  if (all === 0) return 'None configured: nobody is told';
  return bad === 0 ? `${plural(all, 'channel')} in order` : `${bad} of ${all} need a look`;
}

function faultsOf(delivery, proof) {
  const faults = [];
  if ((delivery ?? proof)?.is_configured !== true) faults.push('▲ no worker has this channel');
  if (delivery?.dead_24h > 0) faults.push(`▲ ${plural(delivery.dead_24h, 'message')} lost within a day`);
  if (delivery?.oldest_pending_age_seconds > LATE_SECONDS) {
    faults.push(`▲ ${count(delivery.pending)} waiting, the oldest for ${duration(delivery.oldest_pending_age_seconds)}${delivery.last_error ? ` (${delivery.last_error})` : ''}`);
  }
  if (proof?.is_unproven) faults.push('◆ unproven for 7 days: send a test message');
  return faults;
}
