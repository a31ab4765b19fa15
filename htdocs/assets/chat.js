/**
 * The page of mod_grip_chat, from the wire up: RoomStream keeps the connection, MessageLog shows
 * messages, Composer sends them, and the last functions choose between join page and chat.
 */

const DEFAULT_ROOM = 'default';
const NAME = /^\P{Cc}{1,64}$/u;     // of people and rooms; counts code points
const SHOWN_MAX = 1000;            // messages kept in the document
const BOTTOM_SLACK_PX = 48;        // this near the end still counts as reading the newest
const TINTS = 8;                   // as many as chat.css has
const REQUEST_TIMEOUT_MS = 20_000;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 30_000;
const GOOD_MS = 5_000;             // a connection this old ends a row of failures
const LOST_MS = 6_000;             // in poll mode every answer ends at once: no loss until then
const MISSED_MS = 25_000;          // one keep-alive (every 20 s) is overdue
const SILENT_MS = 50_000;          // two are: the connection is dead, though nobody told us
const GROUP_MS = 300_000;          // messages of one sender this close share a heading

const byId = (id) => document.getElementById(id);

/* ---- requests ---------------------------------------------------------------------------- */

/**
 * @param {function(*): boolean} isExpected tells a usable answer
 * @returns {Promise<object>} the parsed answer; fails with words for the reader, to follow a colon
 */
async function requestJson(url, options, isExpected) {
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
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

const isMessage = (value) => Number.isInteger(value?.id) && typeof value.from === 'string'
  && typeof value.text === 'string';
const isHistory = (value) => Array.isArray(value?.messages)
  && typeof value['last-event-id'] === 'string';

/* ---- the connection ---------------------------------------------------------------------- */

/**
 * Loads a room's history, then follows its events, over and over until the page goes away.
 * The state is "connecting" until the first event, then "connected" or "reconnecting".
 */
class RoomStream {
  #roomUrl;
  #handlers;
  #state = 'connecting';
  #position = null;    // last event id seen; null: the history has to be loaded (again)
  #source = null;
  #turn = 0;           // grows with every start and stop, to tell a late answer from a good one
  #retryTimer = 0;
  #lossTimer = 0;
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
    source.onopen = () => { isAnswered = true; };
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
   * Growing pauses with jitter, so that many pages do not come back in step after an outage.
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
    const most = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** this.#failures);
    this.#retryTimer = setTimeout(() => this.#resume(), most * (0.5 + Math.random() / 2));
  }

  #stop() {
    this.#turn += 1;
    clearTimeout(this.#retryTimer);
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

/* ---- the messages on the page ------------------------------------------------------------ */

/** @returns {HTMLElement} text that settles its own direction, whatever stands beside it */
function make(tag, name, text = '') {
  const element = document.createElement(tag);
  element.className = name;
  element.dataset.testid = name;
  element.dir = 'auto';
  element.textContent = text; // never markup
  return element;
}

/** @returns {HTMLTimeElement} the time of day, with the date unless it is today */
function makeTime(isoDate) {
  const date = new Date(isoDate);
  const isToday = date.toDateString() === new Date().toDateString();
  const time = make('time', 'message-time', date.toLocaleString(undefined,
    isToday ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' }));
  time.title = date.toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'long' });
  time.dateTime = isoDate;
  return time;
}

/** @returns {HTMLElement} a message as it is shown */
function makeMessage(message, isOwn) {
  const element = document.createElement('article');
  const chars = [...message.from.trim()];
  const hash = chars.reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 65521, 7);
  element.className = isOwn ? 'message is-own' : 'message';
  element.dataset.testid = 'message';
  element.dataset.messageId = message.id;
  element.dataset.tint = hash % TINTS;

  const initial = make('span', 'message-initial', chars[0]?.toUpperCase());
  initial.ariaHidden = 'true';
  const head = document.createElement('header');
  head.className = 'message-head';
  head.append(make('span', 'message-from', message.from), makeTime(message.date));
  element.append(initial, head, make('p', 'message-text', message.text));
  return element;
}

/**
 * Shows each message once, in the order of the ids, whichever way and however often it comes.
 * What changes above the reader's place is left to the browser's scroll anchoring.
 */
class MessageLog {
  #log = byId('log');
  #list = byId('messages');
  #placeholder = byId('placeholder');
  #button = byId('new-messages');
  #user;
  #items = [];         // the messages with their elements, ordered by id
  #isPinned = true;    // the reader is at the newest message
  #newCount = 0;

  /** @param {string} user whose messages are shown as the reader's own */
  constructor(user) {
    this.#user = user;
    this.#log.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    this.#button.addEventListener('click', () => this.showNewest());
    // The composer grows, a phone's keyboard opens: the newest message has to stay in sight.
    new ResizeObserver(() => this.#isPinned && this.showNewest()).observe(this.#log);
  }

  /** @param {object[]} messages oldest first; they replace everything shown */
  replace(messages) {
    const topOf = (element) => element.getBoundingClientRect().top;
    const place = this.#items.find((item) => topOf(item.element) >= topOf(this.#log))?.id;
    this.#log.ariaBusy = 'true'; // or a screen reader would read the whole history aloud
    this.#items = [];
    this.#list.replaceChildren();
    messages.forEach((message) => this.#insert(message));
    this.#log.ariaBusy = 'false';
    this.say('Nothing has been said here yet.');
    const again = this.#items.find((item) => item.id === place);
    again?.element.scrollIntoView();
    if (this.#isPinned || !again) {
      this.showNewest();
    }
  }

  /** @returns {boolean} false if the message is shown already */
  add(message) {
    const isNew = this.#insert(message);
    if (this.#isPinned) {
      this.showNewest();
    } else if (isNew) {
      this.#setNewCount(this.#newCount + 1);
    }
    return isNew;
  }

  /** @param {string} text shown as long as there are no messages */
  say(text) {
    this.#placeholder.textContent = text;
    this.#placeholder.hidden = this.#items.length > 0;
  }

  showNewest() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#isPinned = true;
    this.#setNewCount(0);
  }

  #insert(message) {
    let index = this.#items.length;
    while (index > 0 && this.#items[index - 1].id > message.id) {
      index -= 1;
    }
    if (this.#items[index - 1]?.id === message.id) {
      return false;
    }
    const element = makeMessage(message, message.from === this.#user);
    this.#list.insertBefore(element, this.#items[index]?.element ?? null);
    this.#items.splice(index, 0, { ...message, element });
    this.#placeholder.hidden = true;
    this.#group(index);
    this.#group(index + 1);
    if (this.#items.length > SHOWN_MAX) {
      this.#items.shift().element.remove();
      this.#group(0);
    }
    return true;
  }

  /** Consecutive messages of one sender share a heading. */
  #group(index) {
    const [before, item] = [this.#items[index - 1], this.#items[index]];
    item?.element.classList.toggle('is-continued',
      before?.from === item.from && new Date(item.date) - new Date(before.date) < GROUP_MS);
  }

  #onScroll() {
    const below = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight;
    this.#isPinned = below <= BOTTOM_SLACK_PX;
    if (this.#isPinned) {
      this.#setNewCount(0);
    }
  }

  #setNewCount(count) {
    this.#newCount = count;
    this.#button.hidden = count === 0;
    this.#button.textContent = count === 1 ? '1 new message' : `${count} new messages`;
  }
}

/* ---- writing ----------------------------------------------------------------------------- */

/** Sends what is in the box, one message at a time; a failed one stays in the box. */
class Composer {
  #box = byId('text');
  #button = byId('send');
  #error = byId('send-error');
  #post;
  #unsure = null;      // the text of the last try, until it is known to be stored

  /** @param {function(string): Promise} post stores a text; fails with words for the reader */
  constructor(post) {
    this.#post = post;
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#box.addEventListener('input', () => this.#fit());
    this.#box.addEventListener('keydown', (event) => {
      // 229: Safari ends a composition before it reports the Enter that ended it.
      const isComposing = event.isComposing || event.keyCode === 229;
      if (event.key === 'Enter' && !event.shiftKey && !isComposing) {
        event.preventDefault();
        this.#send();
      }
    });
    this.#box.focus();
  }

  /** The reader's own message came back: stored, even if the answer to the POST was lost. */
  sawOwn(text) {
    if (text === this.#unsure) {
      this.#unsure = null;
      this.#say('');
      if (this.#box.value.startsWith(text)) { // what was typed in the meantime stays
        this.#box.value = this.#box.value.slice(text.length);
      }
      this.#fit();
    }
  }

  async #send() {
    const text = this.#box.value;
    if (this.#button.disabled || text.trim() === '') {
      return;
    }
    this.#button.disabled = true; // until this one is done: nothing is sent twice
    this.#unsure = text;
    this.#say('');
    try {
      await this.#post(text);
      this.sawOwn(text);
    } catch (error) {
      this.#say(this.#unsure === null ? '' : `Not sent: ${error.message}`);
    }
    this.#button.disabled = false;
    this.#box.focus();
  }

  #say(problem) {
    this.#error.textContent = problem;
    this.#error.hidden = problem === '';
  }

  /** As high as its text, within what chat.css allows. */
  #fit() {
    this.#box.style.height = 'auto';
    this.#box.style.height = `${this.#box.scrollHeight}px`;
  }
}

/* ---- the pages --------------------------------------------------------------------------- */

/** @returns {string} what is wrong with the name of a person or a room; empty if nothing is */
function problemOf(name) {
  return NAME.test(name) ? '' : 'A name has 1 to 64 characters, and no control characters.';
}

/** @returns {string} the room in the address; empty if it is not valid UTF-8 */
function roomOf(location) {
  try {
    return decodeURIComponent(location.pathname.split('/').pop()) || DEFAULT_ROOM;
  } catch {
    return '';
  }
}

function showJoin(room, user) {
  const form = byId('join-form');
  const input = byId('nickname');
  const check = () => input.setCustomValidity(problemOf(input.value.trim()));
  byId('join').hidden = false;
  byId('join-room').textContent = room;
  if (problemOf(room)) {
    byId('join-fields').hidden = true;
    byId('room-problem').textContent = `There is no such room. ${problemOf(room)}`;
  }
  form.action = encodeURIComponent(room);
  form.addEventListener('submit', () => { input.value = input.value.trim(); });
  input.addEventListener('input', check);
  input.value = user;
  input.focus();
  check();
  if (user) {
    form.reportValidity(); // it came with the address and does not fit
  }
}

function showChat(room, user) {
  byId('chat').hidden = false; // first: what is hidden takes no focus
  const statusTexts = { connected: 'Connected', reconnecting: 'Reconnecting…' };
  const roomUrl = `rooms/${encodeURIComponent(room)}/`;
  const log = new MessageLog(user);
  const take = (message) => {
    if (log.add(message) && message.from === user) {
      composer.sawOwn(message.text);
    }
  };
  const composer = new Composer(async (text) => {
    const body = new URLSearchParams({ from: user, text });
    take(await requestJson(`${roomUrl}messages/`, { method: 'POST', body }, isMessage));
    log.showNewest();
  });
  byId('chat-room').textContent = room;
  byId('chat-user').textContent = user;
  byId('leave').href = encodeURIComponent(room);
  new RoomStream(roomUrl, {
    onHistory: (messages) => log.replace(messages),
    onMessage: take,
    onState: (state) => {
      byId('status').dataset.state = state;
      byId('status').textContent = statusTexts[state];
    },
    onLoadError: (text) => log.say(`The messages cannot be loaded: ${text} Trying again…`),
  }).start();
}

const room = roomOf(window.location);
const user = (new URLSearchParams(window.location.search).get('user') ?? '').trim();

document.title = `${room} · GRIP chat`;
if (problemOf(room) || problemOf(user)) {
  showJoin(room, user);
} else if (window.location.pathname.endsWith('/')) {
  window.location.replace(`${DEFAULT_ROOM}?user=${encodeURIComponent(user)}`);
} else {
  showChat(room, user);
}
