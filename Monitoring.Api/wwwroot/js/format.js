// Numbers, times and words as people read them. What is not known is said, never shown as zero.

export const NOT_KNOWN = 'no data';

const whole = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en-US', {
  style: 'currency', currency: 'USD', notation: 'compact', minimumFractionDigits: 2, maximumFractionDigits: 2,
});

const known = (value) => value !== null && value !== undefined && Number.isFinite(Number(value));
const minus = (text) => text.replace('-', '−');

export const usd = (value) => (known(value) ? minus(whole.format(value)) : NOT_KNOWN);
export const shortUsd = (value) => (known(value) ? minus(compact.format(value)) : NOT_KNOWN);
export const signedUsd = (value) => (known(value) && value > 0 ? `+${shortUsd(value)}` : shortUsd(value));
/** For an axis: as many digits as tell one tick from the next. */
export function tickUsd(value, step) {
  const unit = [1e9, 1e6, 1e3].find((candidate) => Math.abs(value) >= candidate) ?? 1;
  const digits = Math.min(6, Math.max(0, Math.ceil(Math.log10(unit / step)) + 1));
  return minus(value.toLocaleString('en-US', {
    style: 'currency', currency: 'USD', notation: 'compact', minimumFractionDigits: 0, maximumFractionDigits: digits,
  }));
}

export const number = (value, digits = 1) => (known(value) ? minus(Number(value).toFixed(digits)) : NOT_KNOWN);
export const percent = (value) => (known(value) ? `${number(value, 2)} %` : NOT_KNOWN);
export const count = (value) => (known(value) ? Number(value).toLocaleString('en-US') : NOT_KNOWN);
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** 3 s, 4 min 5 s, 23 min, 2 h 10 min, 3 d 4 h. */
export function duration(seconds) {
  if (!known(seconds)) return NOT_KNOWN;
  const total = Math.max(0, Math.floor(seconds));
  const parts = [
    [Math.floor(total / 86400), 'd'],
    [Math.floor(total / 3600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'min'],
    [total < 600 ? total % 60 : 0, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  return parts.slice(first, first + 2).filter(([value]) => value > 0).map(([value, unit]) => `${value} ${unit}`).join(' ');
}

/** 21 Nov 09:00:00 UTC, without the date while it is today's. */
export function utc(iso, now) {
  const at = new Date(iso);
  if (!iso || Number.isNaN(at.getTime())) return NOT_KNOWN;
  const time = `${at.toISOString().slice(11, 19)} UTC`;
  if (now && at.toISOString().slice(0, 10) === new Date(now).toISOString().slice(0, 10)) return time;
  return `${at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })} ${time}`;
}

export const secondsSince = (iso, now) => (iso ? Math.max(0, (now - Date.parse(iso)) / 1000) : null);

/** How old what a card shows is; said loudly while nobody watches, or when it could not be read now. */
export function ageText(at, now, { fresh, fault }, before = '') {
  const text = `${before}${duration(secondsSince(at, now))} old (${utc(at, now)})`;
  return fault ? `NOT READ NOW: ${text}. ${fault.title}.` : fresh ? text : `STALE: ${text}`;
}

const acronyms = new Map();

/** A word that is written in capitals wherever a name contains it. */
export const acronym = (word) => acronyms.set(word.toLowerCase(), word);

/** open_events becomes "open events". */
export const words = (name) => String(name ?? '').split(/[_-]/).map((word) => acronyms.get(word.toLowerCase()) ?? word).join(' ');
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
