/**
 * Where messages are written.
 */

import { Sending } from './sending.js';

const SOON_MS = 1_000;             // most messages are stored by then, and nothing need be said

const byId = (id) => document.getElementById(id);

/** Sends what is in the box, one message at a time; a failed one stays in the box. */
export class Composer {
  #box = byId('text');
  #button = byId('send');
  #progress = byId('send-progress');
  #stop = byId('send-stop');
  #error = byId('send-error');
  #post;
  #sending = null;     // the last message, until it is known to be stored
  #isSending = false;
  #soonTimer = 0;

  /** @param {function(string, string, number): Promise} post as Sending has it */
  constructor(post) {
    this.#post = post;
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#stop.addEventListener('click', () => this.#sending?.stop());
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

  /**
   * A message came from the server.
   * @param {string=} key of the message
   * @returns {boolean} whether it is the one in the box, which is done with now
   */
  sawOwn(key) {
    if (key === undefined || key !== this.#sending?.key) {
      return false;
    }
    this.#finish();
    return true;
  }

  async #send() {
    const text = this.#box.value;
    if (this.#isSending || text.trim() === '') {
      return;
    }
    // The same text goes on under its key: the last try may have been stored.
    if (this.#sending?.text !== text) {
      this.#sending = new Sending(text, this.#post);
    }
    const sending = this.#sending;
    this.#begin();
    try {
      await sending.send((trouble) => this.#sayProgress(`Still sending: ${trouble}`));
      if (this.#sending === sending) {
        this.#finish();
      }
    } catch (error) {
      this.#end();
      this.#sayError(`${error.mayPass ? 'Sending failed' : 'Not sent'}: ${error.message}`);
      if (error.code === 'idempotency-key-used') {
        this.#sending = null; // never to be stored under this one
      }
    }
  }

  #begin() {
    this.#isSending = true;
    this.#button.disabled = true;
    this.#sayError('');
    this.#soonTimer = setTimeout(() => this.#sayProgress('Sending…'), SOON_MS);
    this.#box.focus(); // which a press of the button took away
  }

  #end() {
    if (document.activeElement === this.#stop) {
      this.#box.focus();
    }
    this.#isSending = false;
    this.#button.disabled = false;
    this.#sayProgress('');
  }

  /** The message is stored. */
  #finish() {
    const { text } = this.#sending;
    const { value } = this.#box;
    this.#sending.settle();
    this.#sending = null;
    // What was typed behind it in the first moment stays; so does what was made of a failed one.
    if (this.#isSending ? value.startsWith(text) : value === text) {
      this.#box.value = value.slice(text.length);
    }
    this.#end();
    this.#sayError('');
    this.#fit();
  }

  /** While there is something to say, the box is only to be read: its text is on the way. */
  #sayProgress(text) {
    clearTimeout(this.#soonTimer);
    this.#progress.textContent = text;
    this.#stop.hidden = text === '';
    this.#box.readOnly = text !== '';
  }

  #sayError(problem) {
    this.#error.textContent = problem;
    this.#error.hidden = problem === '';
  }

  /** As high as its text, within what chat.css allows. */
  #fit() {
    this.#box.style.height = 'auto';
    this.#box.style.height = `${this.#box.scrollHeight}px`;
  }
}
