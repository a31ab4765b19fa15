/**
 * Where messages are written.
 */

const byId = (id) => document.getElementById(id);

/** Sends what is in the box, one message at a time; a failed one stays in the box. */
export class Composer {
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
