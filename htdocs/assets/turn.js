/**
 * The turns of the display.
 */

const UNSEEN_MS = 250;              // a page that nobody sees has no turns

/** Does once, before the next picture, what was asked for any number of times. */
export class Turn {
  #work;
  #frame = 0;
  #timer = 0;          // 0 while nothing is asked for

  /** @param {function()} work what is to be done; it may ask for the next turn */
  constructor(work) {
    this.#work = work;
  }

  ask() {
    if (!this.#timer) {
      this.#frame = requestAnimationFrame(() => this.#run());
      this.#timer = setTimeout(() => this.#run(), UNSEEN_MS);
    }
  }

  #run() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#work();
  }
}
