// Asks the read service. Every fault comes out as a Fault with words for people, never as an empty answer.

const TIMEOUT_MS = 8000;
const KEY = 'monitoring-api-key';

let clockOffset = 0;

export class Fault extends Error {
  constructor(title, detail, status, retryAfter) {
    super(title);
    Object.assign(this, { title, detail, status, retryAfter });
  }
}

/** The service's time: ages must not depend on this machine's clock. */
export const serverNow = () => Date.now() + clockOffset;

/** Sends this key instead of the browser's own from now on, until it is refused; then document hears 'keyrefused'. */
export const rememberKey = (key) => sessionStorage.setItem(KEY, key);

/** A conditional GET: the browser revalidates its copy by ETag, so an unchanged answer costs a 304. */
export async function get(path) {
  const response = await ask(path, { cache: 'no-cache', signal: AbortSignal.timeout(TIMEOUT_MS) });

  // A 304 renews the Date header of the kept answer but not its body; hence the header tells the time.
  const sentAt = Date.parse(response.headers.get('Date') ?? '');
  if (Number.isFinite(sentAt)) setClock(sentAt - Date.now());
  try {
    return await response.json();
  } catch {
    throw new Fault('The service gave an answer that is not JSON', path, response.status);
  }
}

/** An operator's action; the service says who did it by the key. */
export const post = (path, body) => ask(path, {
  method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' }, signal: AbortSignal.timeout(TIMEOUT_MS),
});

/** An answer whose body comes bit by bit and has no end of its own. */
export const open = (path, headers, signal) => ask(path, { cache: 'no-store', headers, signal });

async function ask(path, options) {
  const key = sessionStorage.getItem(KEY);
  // With a key that was entered the browser must not send its own as well, nor ask for another when this one is refused.
  const own = key ? { credentials: 'omit' } : {};
  let response;
  try {
    response = await fetch(path, { ...options, ...own, headers: { Accept: 'application/json', ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) } });
  } catch (error) {
    throw new Fault('The service cannot be reached', error.name === 'TimeoutError' ? `No answer within ${TIMEOUT_MS / 1000} s.` : '', 0);
  }
  if (key && isRefused(response.status, options.method)) forget(key, response.status);
  if (!response.ok) throw await faultOf(response);
  return response;
}

/** A key that may read but not act is still good for reading. */
const isRefused = (status, method) => status === 401 || (status === 403 && method !== 'POST');

function forget(key, status) {
  if (sessionStorage.getItem(KEY) !== key) return;
  sessionStorage.removeItem(KEY);
  document.dispatchEvent(new CustomEvent('keyrefused', { detail: status }));
}

/** The header has whole seconds, so the true difference is the largest of those measured. */
function setClock(measured) {
  if (measured > clockOffset || clockOffset - measured > 2000) clockOffset = measured;
}

async function faultOf(response) {
  const problem = await response.json().catch(() => ({}));
  const retryAfter = Number(response.headers.get('Retry-After')) || 0;
  return new Fault(`The service answers ${response.status}: ${problem.title ?? response.statusText}`, problem.detail ?? '', response.status, retryAfter);
}
