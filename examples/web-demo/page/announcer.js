import { find, setText } from './elements.js';

const SUMMARY_EVERY_MS = 15_000;

/** Says to screen readers what matters, and seldom: answers to what the user did at once, misses in between as a sum. */
export class Announcer {
  constructor() {
    this.element = find('announcer');
    this.misses = 0;
    this.saidMs = performance.now();
  }

  /** @param {string} words */
  say(words) {
    setText(this.element, words);
    this.saidMs = performance.now();
  }

  /** @param {number} misses */
  missed(misses) {
    this.misses += misses;
  }

  /** To be called now and then. */
  summarise() {
    if (this.misses === 0 || performance.now() - this.saidMs < SUMMARY_EVERY_MS) return;
    this.say(`${this.misses} misses more; the list has the last of them.`);
    this.misses = 0;
  }
}
