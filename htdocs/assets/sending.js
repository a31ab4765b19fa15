/**
 * The sending of one message to the server.
 */

import { RequestError, pauseAfter } from './requests.js';

const GIVE_UP_MS = 60_000;
const TRY_MIN_MS = 5_000;
const TRY_MOST_MS = 20_000;
const PAUSE_MOST_MS = 8_000;

/** @returns {string} what no other message has; randomUUID() would ask for a secure context */
function makeKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const online = () => new Promise((resolve) => {
  window.addEventListener('online', resolve, { once: true });
});

/**
 * One message under one key, which the server stores once however often it is sent. So a try whose
 * outcome is open can be repeated, by this class for about a minute, and by the reader after that.
 */
export class Sending {
  text;
  key = makeKey();
  #post;
  #round = 0;          // grows with every start, settling and stop: older loops end
  #end = null;         // resolve and reject of the promise that send() waits for

  /** @param {function(string, string, number): Promise} post sends text under key, in so many ms */
  constructor(text, post) {
    this.text = text;
    this.#post = post;
  }

  /**
   * @param {function(string)} onTrouble is told why a try failed that will be repeated
   * @returns {Promise} done when the message is stored; fails with a RequestError
   */
  async send(onTrouble) {
    this.#round += 1;
    const ended = new Promise((resolve, reject) => { this.#end = { resolve, reject }; });
    await Promise.race([ended, this.#repeat(this.#round, onTrouble)]);
  }

  /** The message was seen in the room: it is stored, even if no answer ever says so. */
  settle() {
    this.#round += 1;
    this.#end?.resolve();
  }

  stop() {
    this.#round += 1;
    this.#end?.reject(new RequestError('you stopped it; it may have arrived.'));
  }

  async #repeat(round, onTrouble) {
    let leftMs = GIVE_UP_MS;
    for (let failures = 1; ; failures += 1) {
      const begin = Date.now();
      const timeoutMs = Math.max(TRY_MIN_MS, Math.min(TRY_MOST_MS, leftMs));
      const error = await this.#post(this.text, this.key, timeoutMs)
        .then(() => null, (problem) => problem);
      if (error === null || round !== this.#round) {
        return;
      }
      // A browser may take itself for offline though the server is near: an answer proves it wrong.
      const isOffline = error.status === 0 && !navigator.onLine;
      const pauseMs = Math.max(error.retryAfterMs, pauseAfter(failures, PAUSE_MOST_MS));
      leftMs -= Date.now() - begin + pauseMs;
      if (!error.mayPass || (leftMs <= 0 && !isOffline)) {
        throw error;
      }
      onTrouble(isOffline ? 'waiting for the network.' : error.message);
      if (isOffline) {
        await online();
        leftMs = GIVE_UP_MS;
        failures = 0;
      } else {
        await sleep(pauseMs);
      }
      if (round !== this.#round) {
        return;
      }
    }
  }
}
