/**
 * Which messages are the reader's own.
 */

const ITEM = 'grip-chat-own';
const KEPT_MAX = 500;               // of all rooms of the site

/**
 * Own is what this browser sent in this room under this nickname. A nickname is anybody's, and once a
 * message is stored everyone can read its key: so it is the key together with the id that the message
 * was given first. The browser keeps both, for when the page is opened again.
 */
export class OwnMessages {
  #scope;
  #ids = new Map();    // by key; 0 until the id is known

  /** @param {string} roomUrl the room's address, ending in a slash */
  constructor(roomUrl, user) {
    this.#scope = `${new URL(roomUrl, document.baseURI).pathname} ${user}`;
    this.#load();
    window.addEventListener('storage', (event) => event.key === ITEM && this.#load());
  }

  /** @returns {boolean} whether the reader wrote this message, which the server sent */
  has({ key, id }) {
    if (this.#ids.get(key) === 0) {
      this.note(key, id); // its answer is still on the way, or lost
    }
    return this.#ids.get(key) === id;
  }

  /** @param {number=} id that a message under this key was answered with; none before it is sent */
  note(key, id = 0) {
    if (this.#ids.get(key) !== id && (id !== 0 || !this.#ids.has(key))) {
      this.#ids.set(key, id);
      this.#store([[this.#scope, key, id]]);
    }
  }

  /** @param {string} key that turned out to be another message's */
  forget(key) {
    this.#ids.delete(key);
    this.#store([], key);
  }

  #load() {
    this.#read().forEach(([scope, key, id]) => {
      if (scope === this.#scope && !this.#ids.get(key)) {
        this.#ids.set(key, id);
      }
    });
  }

  /** @returns {Array} scope, key and id of each, oldest first */
  #read() {
    try {
      return JSON.parse(localStorage.getItem(ITEM)) ?? [];
    } catch {
      return []; // the browser keeps nothing for us, or somebody else wrote there
    }
  }

  #store(added, key = added[0]?.[1]) {
    const others = this.#read().filter((each) => each[0] !== this.#scope || each[1] !== key);
    try {
      localStorage.setItem(ITEM, JSON.stringify([...others, ...added].slice(-KEPT_MAX)));
    } catch {
      // Then own messages are known until the page is left.
    }
  }
}
