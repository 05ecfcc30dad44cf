// The cards of the venue. They are there before anything that draws into them, and stay: they are filled, never built anew.

import { mount } from '../dom.js';

mount('subjects', `
  <section id="vault" class="card" data-freshness="never" aria-labelledby="vault-title">
    <div class="head"><h2 id="vault-title">HLP vault</h2><p id="vault-age" class="age">NO DATA</p></div>
    <dl class="figures">
      <div class="main"><dt>Account value</dt><dd id="vault-account-value">no data</dd></div>
      <div><dt>PnL 1 h</dt><dd id="vault-pnl-1h">no data</dd></div>
      <div><dt>PnL 24 h</dt><dd id="vault-pnl-24h">no data</dd></div>
      <div><dt>PnL 7 d</dt><dd id="vault-pnl-7d">no data</dd></div>
      <div><dt>Drawdown</dt><dd id="vault-drawdown">no data</dd></div>
      <div><dt>Value locked</dt><dd id="vault-tvl">no data</dd></div>
    </dl>
    <div class="halves">
      <div id="anomaly" data-tone="unknown">
        <h3>Anomaly score <strong id="anomaly-score">no data</strong> <small>of 100</small></h3>
        <dl>
          <div><dt>Loss</dt><dd id="anomaly-loss">no data</dd><dd class="bar" aria-hidden="true"><span id="anomaly-loss-bar"></span></dd></div>
          <div><dt>Drawdown</dt><dd id="anomaly-drawdown">no data</dd><dd class="bar" aria-hidden="true"><span id="anomaly-drawdown-bar"></span></dd></div>
          <div><dt>Volatility</dt><dd id="anomaly-volatility">no data</dd><dd class="bar" aria-hidden="true"><span id="anomaly-volatility-bar"></span></dd></div>
        </dl>
      </div>
      <div id="health" data-tone="unknown">
        <h3 id="health-state" class="note">Health unknown</h3>
        <ul id="health-issues" aria-label="Health issues"></ul>
        <p id="vault-address"></p>
      </div>
    </div>
  </section>

  <section id="history" class="card" aria-labelledby="history-title">
    <div class="head">
      <h2 id="history-title">Account value and PnL</h2>
      <fieldset>
        <legend class="unseen">Range of the chart</legend>
        <label><input type="radio" name="range" value="1"><span>1 h</span></label>
        <label><input type="radio" name="range" value="6"><span>6 h</span></label>
        <label><input type="radio" name="range" value="24" checked><span>24 h</span></label>
        <label><input type="radio" name="range" value="168"><span>7 d</span></label>
      </fieldset>
    </div>
    <p id="chart-missing" class="note" data-tone="info" hidden>Charts need uPlot; build with Node and npm installed to get it.</p>
    <div id="chart" class="chart" role="img" aria-labelledby="history-title" aria-describedby="chart-summary"></div>
    <p id="chart-summary" class="chart-summary">The history is not known yet.</p>
    <h3 id="holdings-title">Largest positions, share of the vault's equity</h3>
    <div id="holdings-chart" class="chart" role="img" aria-labelledby="holdings-title" aria-describedby="holdings-summary"></div>
    <p id="holdings-summary" class="chart-summary">Positions are not known yet.</p>
  </section>

  <section id="holdings" class="card" data-known="false" aria-labelledby="inventory-title">
    <div class="head"><h2 id="inventory-title">Inventory of the component vaults</h2><p id="holdings-age" class="age">NO DATA</p></div>
    <table id="holdings-table" aria-labelledby="inventory-title" hidden>
      <thead>
        <tr>
          <th scope="col">Coin</th><th scope="col" class="wide">Vault</th><th scope="col">Side</th><th scope="col">Notional</th>
          <th scope="col">Of equity</th><th scope="col" class="wide">Of open interest</th><th scope="col" class="wide">Unrealised</th>
        </tr>
      </thead>
      <tbody id="holdings-rows"></tbody>
    </table>
  </section>

  <section id="oracle" class="card" data-known="false" aria-labelledby="oracle-title">
    <div class="head"><h2 id="oracle-title">Oracle against other markets</h2><p id="oracle-age" class="age">NO DATA</p></div>
    <p id="oracle-summary"></p>
    <ul id="oracle-list" aria-label="Assets by deviation, the largest first"></ul>
    <p id="oracle-more" hidden></p>
    <div id="oracle-asset" role="region" aria-labelledby="oracle-asset-title" hidden>
      <h3 id="oracle-asset-title"></h3>
      <ul id="oracle-asset-facts"></ul>
      <p id="oracle-asset-past"></p>
    </div>
  </section>

  <section id="liquidations" class="card" data-known="false" aria-labelledby="liquidations-title">
    <div class="head"><h2 id="liquidations-title">Liquidations</h2><p id="liquidations-age" class="age">NO DATA</p></div>
    <table id="liquidations-table" aria-labelledby="liquidations-title" hidden>
      <thead>
        <tr><th scope="col">Method</th><th scope="col">Liquidations</th><th scope="col">Notional</th><th scope="col" class="wide">Accounts</th><th scope="col" class="wide">Fills</th></tr>
      </thead>
      <tbody id="liquidations-rows"></tbody>
    </table>
    <h3>Newest patterns</h3>
    <p id="patterns-none">Patterns are not known yet.</p>
    <ol id="patterns" aria-label="Newest patterns of liquidations"></ol>
    <p id="liquidations-note" class="small"></p>
  </section>
`);
