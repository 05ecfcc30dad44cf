// The trading venue on the page: its vault, what that holds, its oracle, its liquidations.

import './cards.js';
import { get, serverNow } from '../api.js';
import { acronym } from '../format.js';
import { blindSpots } from './freshness.js';
import { refreshHistory, startHistory } from './history-card.js';
import { drawHoldings, renderHoldings } from './holdings.js';
import { renderLiquidations } from './liquidations.js';
import { renderOracle } from './oracle.js';
import { hours, onRange } from './range.js';
import { renderVault } from './vault.js';

acronym('HLP');

const depth = { deviations: null, deviationsFault: null, holdings: null, holdingsFault: null };

/** Listens for what the reader chooses. */
function start(readAnew, redraw) {
  startHistory();
  onRange(readAnew);
  document.addEventListener('choose', redraw);
}

/** What follows from the newest dashboard. */
const polled = (dashboard) => refreshHistory(dashboard?.hlp_vault?.timestamp);

/** What is below the first screen changes more slowly and costs more; a fault of it marks its card alone. Answers what then draws it. */
async function readDepth() {
  const range = hours();
  const keep = (name, answer, fault) => {
    if (!fault) depth[name] = answer;
    depth[`${name}Fault`] = fault;
  };
  await Promise.all([
    get('security/oracle-deviations?active_only=false').then((answer) => keep('deviations', answer.deviations, null), (fault) => keep('deviations', null, fault)),
    get(`security/hlp-vault/holdings?hours=${range}`).then((answer) => keep('holdings', answer, null), (fault) => keep('holdings', null, fault)),
  ]);
  return () => { if (range === hours()) drawHoldings(depth.holdings, depth.holdingsFault, serverNow()); };
}

/** The depth that was read could not be drawn. */
const failDepth = (fault) => { depth.holdingsFault = fault; };

function render({ dashboard, live, now, monitorOf, sees }) {
  const { deviations, deviationsFault, holdings, holdingsFault } = depth;
  renderVault(dashboard, live, now);
  renderOracle(deviations, { fresh: sees('oracle') && !deviationsFault, fault: deviationsFault, monitor: monitorOf('oracle') }, now);
  renderHoldings(holdings, { fresh: sees('inventory') && !holdingsFault, fault: holdingsFault }, now);
  renderLiquidations(dashboard, sees('liquidations'), now);
}

export const venues = { start, polled, readDepth, failDepth, render, blindSpots };
