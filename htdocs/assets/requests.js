/**
 * Requests to the server, and what its answers look like.
 */

const TIMEOUT_MS = 20_000;
const PAUSE_MIN_MS = 1_000;
const MAY_PASS = [408, 429];        // as may every 5xx

/** A request without a usable answer; the message is for the reader, to follow a colon. */
export class RequestError extends Error {
  /** @param {object} facts status, 0 if nothing was answered; code, the server's word for it */
  constructor(message, { status = 0, code = '', retryAfterMs = 0 } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** The same request may do better later, or may have been carried out unnoticed. */
  get mayPass() {
    return this.status < 400 || this.status >= 500 || MAY_PASS.includes(this.status);
  }
}

/** @returns {number} milliseconds from seconds or a date; 0 if there are none */
function retryAfterOf(response) {
  const value = response.headers.get('Retry-After') ?? '';
  const ms = /^\d+$/.test(value) ? value * 1_000 : Date.parse(value) - Date.now();
  return Math.max(0, ms) || 0;
}

/**
 * @param {function(*): boolean} isExpected tells a usable answer
 * @returns {Promise<object>} the parsed answer; fails with a RequestError
 */
export async function requestJson(url, options, isExpected, timeoutMs = TIMEOUT_MS) {
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(url, { ...options, signal }).catch(() => {
    throw new RequestError(signal.aborted ? 'no answer in time.' : 'the server cannot be reached.');
  });
  const body = await response.json().catch(() => null);
  const { status } = response;
  if (!response.ok) {
    const message = body?.error?.message || `the server answered with status ${status}.`;
    const retryAfterMs = retryAfterOf(response);
    throw new RequestError(message, { status, code: body?.error?.code, retryAfterMs });
  }
  if (!isExpected(body)) { // cut short, or not our server's
    throw new RequestError('the server sent an answer that cannot be read.', { status });
  }
  return body;
}

export const isMessage = (value) => Number.isInteger(value?.id) && typeof value.from === 'string'
  && typeof value.text === 'string' && Date.parse(value.date) > 0;
export const isHistory = (value) => Array.isArray(value?.messages)
  && typeof value['last-event-id'] === 'string';

/**
 * Growing pauses with jitter, so that many pages do not come back in step after an outage.
 * @param {number} failures in a row, from 1
 * @returns {number} milliseconds
 */
export function pauseAfter(failures, mostMs) {
  return Math.min(mostMs, PAUSE_MIN_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}
