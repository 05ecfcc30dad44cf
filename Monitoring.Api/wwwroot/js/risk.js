// The first card: one word, one number, and which part decided.

import { byId, el, keyed, setData, setText, texts } from './dom.js';
import { capital, number, words } from './format.js';

const ICONS = { critical: '✖', high: '▲', medium: '◆', ok: '✔', unknown: '?' };

export function renderRisk(dashboard, verdict) {
  const card = byId('risk');
  setData(card, 'tone', verdict.tone);
  setData(card, 'level', verdict.level);
  setText(byId('risk-icon'), ICONS[verdict.tone]);
  setText(byId('risk-level'), verdict.level);
  setText(byId('risk-score'), verdict.score === undefined ? '' : `${number(verdict.score)} of 100`);
  byId('risk-score').hidden = verdict.score === undefined;

  const risk = dashboard?.overall_risk;
  const decider = risk?.parts?.find((part) => part.name === risk.decided_by);
  const decided = risk?.decided_by ? `Decided by ${words(risk.decided_by)}${decider?.detail ? `: ${decider.detail}` : ''}` : '';
  setText(byId('risk-why'), verdict.why || decided);
  texts(byId('risk-blind'), 'li', verdict.spots);
  byId('risk-blind').hidden = verdict.spots.length === 0;

  const parts = verdict.level === 'UNKNOWN' || verdict.level === 'NO DATA' ? [] : risk?.parts ?? [];
  keyed(byId('risk-parts'), parts, (part) => part.name, createPart, (node, part) => updatePart(node, part, risk.decided_by));
}

function createPart() {
  return el('li', {},
    el('span', { class: 'part-name' }), el('span', { class: 'part-score' }),
    el('span', { class: 'bar', 'aria-hidden': 'true' }, el('span')));
}

function updatePart(node, part, decidedBy) {
  const [name, score, bar] = node.children;
  const decides = part.name === decidedBy;
  setData(node, 'decides', String(decides));
  setText(name, capital(words(part.name)) + (decides ? ' (decides)' : ''));
  setText(score, number(part.score));
  bar.firstChild.style.width = `${Math.min(100, Math.max(0, Number(part.score) || 0))}%`;
}
