/**
 * Requests to the server, and what its answers look like.
 */

const TIMEOUT_MS = 20_000;

/**
 * @param {function(*): boolean} isExpected tells a usable answer
 * @returns {Promise<object>} the parsed answer; fails with words for the reader, to follow a colon
 */
export async function requestJson(url, options, isExpected) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(url, { ...options, signal }).catch(() => {
    throw new Error(signal.aborted ? 'no answer in time.' : 'the server cannot be reached.');
  });
  const body = await response.json().catch(() => null);
  if (!response.ok) {
    throw new Error(body?.error?.message || `the server answered with status ${response.status}.`);
  }
  if (!isExpected(body)) {
    throw new Error('the server sent an answer that cannot be read.');
  }
  return body;
}

export const isMessage = (value) => Number.isInteger(value?.id) && typeof value.from === 'string'
  && typeof value.text === 'string';
export const isHistory = (value) => Array.isArray(value?.messages)
  && typeof value['last-event-id'] === 'string';
