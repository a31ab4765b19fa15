/**
 * The messages on the page.
 */

import { Row } from './row.js';
import { Turn } from './turn.js';

const ROWS_MAX = 1_000;            // in the document while the reader is at the newest message
const ROWS_MAX_ABOVE = 2_000;      // while the reader is further up: then none is taken away
const WAITING_MAX = 1_000;         // messages that have no row yet
const TURN_MS = 8;                 // for rows, in each turn of the display; typing has the rest
const TURN_ROWS = 20;              // but so many at least, or a busy machine would never be done
const BOTTOM_SLACK_PX = 48;        // this near the end still counts as reading the newest
const UP_MS = 300;                 // so long behind a move upwards nothing pulls the reader down
const GROUP_MS = 300_000;          // messages of one sender this close share a heading

const byId = (id) => document.getElementById(id);

/** @returns {number} the place of an id in what is ordered by id; -1 if it is there already */
function placeFor(items, id) {
  let index = items.length;
  while (index > 0 && items[index - 1].id > id) {
    index -= 1;
  }
  return items[index - 1]?.id === id ? -1 : index;
}

/**
 * Shows each message once, in the order of the ids, whichever way and however often it comes.
 *
 * However many come at once, they get their rows a few in each turn of the display, so that a flood
 * stops nobody from reading and typing. What changes above the reader's place is left to the
 * browser's scroll anchoring.
 */
export class Messages {
  #log = byId('log');
  #list = byId('messages');
  #placeholder = byId('placeholder');
  #button = byId('new-messages');
  #isOwn;
  #turn = new Turn(() => this.#show());
  #rows = [];          // ordered by id
  #waiting = [];       // messages that have no row yet, ordered by id
  #leftOut = 0;        // older than these, newer than the rows, and never shown
  #isPinned = true;    // the reader is at the newest message
  #newCount = 0;
  #scrollTop = 0;      // as of the last look
  #movedUpAt = -UP_MS;

  /** @param {function(object): boolean} isOwn whether the reader wrote a message */
  constructor(isOwn) {
    this.#isOwn = isOwn;
    this.#log.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    this.#button.addEventListener('click', () => this.showNewest());
    // The composer grows, a phone's keyboard opens, a row turns out higher than it was taken for:
    // the newest message has to stay in sight.
    const sizes = new ResizeObserver(() => this.#follow());
    sizes.observe(this.#log);
    sizes.observe(this.#list);
    // Whoever opens a long message wants to read it.
    this.#list.addEventListener('click', (event) => {
      this.#setPinned(this.#isPinned && event.target.ariaExpanded !== 'true');
    });
    this.#setPinned(true);
  }

  /** @param {object[]} messages oldest first; they replace everything shown */
  replace(messages) {
    const topOf = (row) => row.element.getBoundingClientRect().top;
    const place = this.#rows.find((row) => topOf(row) >= this.#log.getBoundingClientRect().top)?.id;
    this.#log.ariaBusy = 'true'; // or a screen reader would read the whole history aloud
    this.#clear();
    this.#waiting = [];
    messages.forEach((message) => this.#insert(message));
    this.#log.ariaBusy = 'false';
    this.say('Nothing has been said here yet.');
    const again = this.#rows.find((row) => row.id === place);
    again?.element.scrollIntoView();
    if (this.#isPinned || !again) {
      this.showNewest();
    }
  }

  /** @param {object} message perhaps one that is shown already */
  add(message) {
    const index = placeFor(this.#waiting, message.id);
    if (index < 0 || placeFor(this.#rows, message.id) < 0) {
      return;
    }
    this.#waiting.splice(index, 0, message);
    const places = this.#isPinned ? 0 : ROWS_MAX_ABOVE - this.#rows.length;
    if (this.#waiting.length > WAITING_MAX + places) {
      this.#waiting.shift();
      this.#leftOut += 1;
    }
    this.#newCount += this.#isPinned ? 0 : 1;
    this.#turn.ask();
  }

  /** @param {string} text shown as long as there are no messages */
  say(text) {
    this.#placeholder.textContent = text;
    this.#placeholder.hidden = this.#rows.length > 0;
  }

  showNewest() {
    this.#movedUpAt = -UP_MS;
    this.#setPinned(true);
    this.#follow();
    this.#turn.ask();
  }

  /** One turn of the display. */
  #show() {
    const isPinned = this.#isPinned;
    if (isPinned && this.#leftOut > 0) {
      this.#clear(); // all of them are older than what waits, which is as much as is shown
    }
    const isDone = () => this.#waiting.length === 0
      || (!isPinned && this.#rows.length >= ROWS_MAX_ABOVE);
    const end = performance.now() + TURN_MS;
    for (let made = 0; !isDone() && (made < TURN_ROWS || performance.now() < end); made += 1) {
      this.#insert(this.#waiting.shift());
    }
    if (isPinned) {
      this.#trim();
      this.#follow();
    }
    this.#showCount();
    if (!isDone()) {
      this.#turn.ask();
    }
  }

  #insert(message) {
    const index = placeFor(this.#rows, message.id);
    if (index < 0) {
      return;
    }
    const row = new Row(message, this.#isOwn(message));
    if (this.#leftOut > 0) {
      row.gap = this.#leftOut;
      this.#leftOut = 0;
    }
    row.insertInto(this.#list, this.#rows[index]?.top ?? null);
    this.#rows.splice(index, 0, row);
    this.#placeholder.hidden = true;
    this.#group(index);
    this.#group(index + 1);
  }

  /** Consecutive messages of one sender share a heading. */
  #group(index) {
    const [before, row] = [this.#rows[index - 1], this.#rows[index]];
    if (row) {
      row.isContinued = before?.from === row.from && before.isOwn === row.isOwn
        && row.top === row.element && row.sentAt - before.sentAt < GROUP_MS;
    }
  }

  /** Takes the oldest rows away. */
  #trim() {
    const spare = this.#rows.splice(0, Math.max(0, this.#rows.length - ROWS_MAX));
    spare.forEach((row) => row.remove());
    if (spare.length > 0) {
      this.#group(0);
    }
  }

  #clear() {
    this.#rows.forEach((row) => row.remove());
    this.#rows = [];
    this.#leftOut = 0;
  }

  /** Without its anchoring the browser keeps to the place that #follow() gives it. */
  #setPinned(isPinned) {
    this.#isPinned = isPinned;
    this.#log.classList.toggle('is-pinned', isPinned);
    if (isPinned) {
      this.#newCount = 0;
      this.#showCount();
    }
  }

  /** Keeps the newest message in sight of a reader who is there. */
  #follow() {
    if (this.#isPinned && performance.now() - this.#movedUpAt > UP_MS) {
      this.#log.scrollTop = this.#log.scrollHeight;
      this.#scrollTop = this.#log.scrollTop;
    }
  }

  #onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    const below = scrollHeight - scrollTop - clientHeight;
    const isUp = scrollTop < this.#scrollTop && below > 1; // at the end only a shorter list moves it
    this.#scrollTop = scrollTop;
    if (isUp) {
      this.#movedUpAt = performance.now();
      this.#setPinned(this.#isPinned && below <= BOTTOM_SLACK_PX);
    } else if (below <= BOTTOM_SLACK_PX && this.#rows.length >= ROWS_MAX_ABOVE) {
      this.#readOn();
    } else if (below <= BOTTOM_SLACK_PX) {
      this.#setPinned(true);
    }
  }

  /** At the end of the rows, but not of the messages: makes room above, and goes on below. */
  #readOn() {
    const last = this.#rows.at(-1).element;
    const before = last.getBoundingClientRect().top;
    this.#trim();
    this.#log.scrollTop += last.getBoundingClientRect().top - before; // where nothing anchors
    this.#scrollTop = this.#log.scrollTop;
    this.#turn.ask();
  }

  #showCount() {
    const count = this.#newCount;
    this.#button.hidden = count === 0;
    this.#button.textContent = count === 1 ? '1 new message' : `${count} new messages`;
  }
}
