/**
 * The messages on the page.
 */

const SHOWN_MAX = 1000;            // messages kept in the document
const BOTTOM_SLACK_PX = 48;        // this near the end still counts as reading the newest
const TINTS = 8;                   // as many as chat.css has
const GROUP_MS = 300_000;          // messages of one sender this close share a heading

const byId = (id) => document.getElementById(id);

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
export class MessageLog {
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

  /** @param {object} message perhaps one that is shown already */
  add(message) {
    const isNew = this.#insert(message);
    if (this.#isPinned) {
      this.showNewest();
    } else if (isNew) {
      this.#setNewCount(this.#newCount + 1);
    }
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
