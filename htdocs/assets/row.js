/**
 * The row of one message.
 */

const TINTS = 8;                   // as many as chat.css has
const CUT_AT = 2_000;              // characters that are shown, and read aloud, before all are asked for
// Neither a control, a space, nor one of those that fonts leave out (joiners, fillers, a blank Braille cell).
const SEEN = /[^\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;

const [clock, day, exact] = [{ timeStyle: 'short' }, { dateStyle: 'medium', timeStyle: 'short' },
  { dateStyle: 'full', timeStyle: 'long' }].map((style) => new Intl.DateTimeFormat(undefined, style));

const rows = new WeakMap();        // by the element of the text
const sizes = new ResizeObserver((entries) => {
  entries.forEach(({ target }) => rows.get(target).fit());
});

/** @returns {HTMLElement} text that settles its own direction, whatever stands beside it */
function make(tag, name, text = '') {
  const element = document.createElement(tag);
  element.className = name;
  element.dataset.testid = name;
  element.dir = 'auto';
  element.textContent = text; // never markup
  return element;
}

/** @returns {HTMLElement} what somebody wrote; chat.css says so where there is nothing to be seen */
function makeWritten(tag, name, text) {
  const element = make(tag, name, text);
  element.classList.toggle('is-unseen', !SEEN.test(text));
  return element;
}

/** @returns {HTMLTimeElement} the time of day, with the date unless it is today */
function makeTime(isoDate) {
  const date = new Date(isoDate);
  const isToday = date.toDateString() === new Date().toDateString();
  const time = make('time', 'message-time', (isToday ? clock : day).format(date));
  time.title = exact.format(date);
  time.dateTime = isoDate;
  return time;
}

/** @returns {string} the beginning of a text, which ends with a whole character */
function cut(text) {
  return text.length <= CUT_AT ? text : text.slice(0, CUT_AT).replace(/[\uD800-\uDBFF]$/, '');
}

/** A message as it is shown. A long one is shown in part, until the reader asks for all of it. */
export class Row {
  element = document.createElement('article');
  id;
  from;
  isOwn;
  sentAt;              // in ms
  #text;
  #whole;
  #more = null;        // the button, once there was more than can be seen
  #gap = null;

  /** @param {boolean} isOwn the reader wrote it */
  constructor(message, isOwn) {
    this.id = message.id;
    this.from = message.from;
    this.isOwn = isOwn;
    this.sentAt = Date.parse(message.date);
    this.#whole = message.text;
    this.#text = makeWritten('p', 'message-text', cut(message.text));

    const letters = [...message.from].filter((char) => SEEN.test(char));
    const hash = letters.reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 65521, 7);
    const initial = make('span', 'message-initial', letters[0]?.toUpperCase() ?? '?');
    const head = document.createElement('header');
    initial.ariaHidden = 'true';
    head.className = 'message-head';
    head.append(makeWritten('span', 'message-from', message.from), makeTime(message.date));

    this.element.className = isOwn ? 'message is-own' : 'message';
    this.element.dataset.testid = 'message';
    this.element.dataset.messageId = message.id;
    this.element.dataset.tint = hash % TINTS;
    this.element.append(initial, head, this.#text);
    if (message.text.length > CUT_AT) {
      this.fit();
    }
    rows.set(this.#text, this);
    sizes.observe(this.#text);
  }

  /** The first element of the row. */
  get top() {
    return this.#gap ?? this.element;
  }

  /** @param {boolean} isContinued it shares the heading of the message before it */
  set isContinued(isContinued) {
    this.element.classList.toggle('is-continued', isContinued);
  }

  /** @param {number} count of messages that were left out before this one */
  set gap(count) {
    this.#gap = make('p', 'gap', count === 1 ? '1 message was left out here'
      : `${count.toLocaleString()} messages were left out here`);
  }

  insertInto(list, before) {
    list.insertBefore(this.element, before);
    if (this.#gap) {
      list.insertBefore(this.#gap, this.element);
    }
  }

  remove() {
    sizes.unobserve(this.#text);
    this.#gap?.remove();
    this.element.remove();
  }

  /** Offers the rest, where there is one; called whenever the text's size has changed. */
  fit() {
    const isOpen = this.element.classList.contains('is-open');
    const isClipped = !isOpen && (this.#whole.length > CUT_AT
      || this.#text.scrollHeight > this.#text.clientHeight + 1);
    this.element.classList.toggle('is-clipped', isClipped);
    if (isClipped && !this.#more) {
      this.#more = document.createElement('button');
      this.#more.type = 'button';
      this.#more.className = 'message-more';
      this.#more.dataset.testid = 'message-more';
      this.#more.addEventListener('click', () => this.#toggle());
      this.element.append(this.#more);
    }
    if (this.#more) {
      this.#more.hidden = !isClipped && !isOpen;
      this.#more.textContent = isOpen ? 'Show less' : 'Show more';
      this.#more.ariaExpanded = String(isOpen);
    }
  }

  #toggle() {
    const isOpen = this.element.classList.toggle('is-open');
    this.#text.textContent = isOpen ? this.#whole : cut(this.#whole);
    this.fit();
    if (!isOpen) {
      this.element.scrollIntoView({ block: 'nearest' });
    }
  }
}
