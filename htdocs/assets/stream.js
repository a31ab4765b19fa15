/**
 * The connection to a room.
 */

import { isHistory, isMessage, pauseAfter, requestJson } from './requests.js';

const PAUSE_MOST_MS = 30_000;
const GOOD_MS = 5_000;             // a connection this old ends a row of failures
const LOST_MS = 6_000;             // in poll mode every answer ends at once: no loss until then
const ANSWER_MS = 15_000;          // a proxy that has just started may lose a request
const MISSED_MS = 25_000;          // one keep-alive (every 20 s) is overdue
const SILENT_MS = 50_000;          // two are: the connection is dead, though nobody told us

/**
 * Loads a room's history, then follows its events, over and over until the page goes away.
 * The state is "connecting" until the first event, then "connected" or "reconnecting".
 */
export class RoomStream {
  #roomUrl;
  #handlers;
  #state = 'connecting';
  #position = null;    // last event id seen; null: the history has to be loaded (again)
  #source = null;
  #turn = 0;           // grows with every start and stop, to tell a late answer from a good one
  #retryTimer = 0;
  #lossTimer = 0;
  #answerTimer = 0;
  #failures = 0;
  #goodSince = 0;      // since when the connection works; 0 while it does not
  #signAt = 0;         // when the server was last heard, or last asked

  /**
   * @param {string} roomUrl the room's address, ending in a slash
   * @param {object} handlers onHistory(messages), oldest first, replacing all that came before;
   *   onMessage(message), perhaps one that is known already; onState(state); onLoadError(text)
   */
  constructor(roomUrl, handlers) {
    this.#roomUrl = roomUrl;
    this.#handlers = handlers;
  }

  start() {
    window.addEventListener('online', () => this.#resume());
    window.addEventListener('offline', () => this.#setState('reconnecting'));
    // An open stream keeps a page out of the back/forward cache, so it is closed on the way out.
    window.addEventListener('pagehide', () => this.#stop());
    window.addEventListener('pageshow', (event) => event.persisted && this.#resume());
    // Timers and connections may have slept until somebody looks at the page again...
    document.addEventListener('visibilitychange', () => {
      this.#check(this.#state === 'reconnecting' ? 0 : MISSED_MS);
    });
    // ...and a connection can die without a word (another network, a lost router).
    setInterval(() => this.#source && this.#check(SILENT_MS), LOST_MS);
    this.#resume();
  }

  #resume() {
    this.#stop();
    this.#signAt = Date.now();
    if (this.#position === null) {
      this.#load(this.#turn);
    } else {
      this.#open();
    }
  }

  async #load(turn) {
    const history = await requestJson(`${this.#roomUrl}messages/`, { cache: 'no-cache' }, isHistory)
      .catch((error) => error);
    if (turn !== this.#turn) {
      return; // stopped or started anew in the meantime
    }
    if (history instanceof Error) {
      this.#handlers.onLoadError(history.message);
      this.#resumeLater();
    } else {
      this.#position = history['last-event-id'];
      this.#handlers.onHistory(history.messages.filter(isMessage).reverse());
      this.#open();
    }
  }

  #open() {
    // When the browser comes back by itself, its Last-Event-ID header wins over this query.
    const query = `?lastEventId=${encodeURIComponent(this.#position)}`;
    const source = new EventSource(`${this.#roomUrl}events/${query}`);
    this.#source = source;
    for (const type of ['stream-open', 'keep-alive', 'message']) {
      source.addEventListener(type, (event) => this.#onEvent(event));
    }
    // Both say that our position is of no use. The pause spreads the readers of a whole site,
    // who may all be told so at once.
    for (const type of ['stream-reset', 'stream-error']) {
      source.addEventListener(type, () => {
        this.#position = null;
        this.#resumeLater();
      });
    }
    // A stream that ends after an answer is the browser's to reopen: it knows the server's
    // `retry:`. A refused one would stay closed, and one that nobody answers would be asked for
    // at a fixed pace by every page at once; these two are ours.
    let isAnswered = false;
    this.#answerTimer = setTimeout(() => this.#resumeLater(), ANSWER_MS);
    source.onopen = () => {
      clearTimeout(this.#answerTimer);
      isAnswered = true;
    };
    source.onerror = () => {
      this.#expectSign();
      if (!isAnswered) {
        this.#resumeLater();
      }
      isAnswered = false;
    };
  }

  /** @param {MessageEvent} event any sign of life; its id is where to go on from */
  #onEvent(event) {
    this.#position = event.lastEventId || this.#position;
    this.#signAt = Date.now();
    this.#goodSince ||= this.#signAt;
    clearTimeout(this.#lossTimer);
    this.#lossTimer = 0;
    this.#setState('connected');
    const message = event.type === 'message' && JSON.parse(event.data);
    if (isMessage(message)) {
      this.#handlers.onMessage(message);
    }
  }

  /** From now on the server has LOST_MS to be heard, however many attempts that takes. */
  #expectSign() {
    this.#lossTimer ||= setTimeout(() => this.#setState('reconnecting'), LOST_MS);
  }

  /**
   * A connection that broke right after it opened does not end the row of failures: otherwise
   * a server that accepts and refuses by turns would be asked without a pause.
   */
  #resumeLater() {
    if (this.#goodSince && Date.now() - this.#goodSince > GOOD_MS) {
      this.#failures = 0;
    }
    this.#goodSince = 0;
    this.#failures += 1;
    this.#stop();
    this.#retryTimer = setTimeout(() => this.#resume(), pauseAfter(this.#failures, PAUSE_MOST_MS));
  }

  #stop() {
    this.#turn += 1;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#answerTimer);
    this.#source?.close();
    this.#source = null;
    this.#expectSign();
  }

  #check(silenceMs) {
    if (Date.now() - this.#signAt > silenceMs) {
      this.#resume();
    }
  }

  #setState(state) {
    if (state !== this.#state) {
      this.#state = state;
      this.#handlers.onState(state);
    }
  }
}
