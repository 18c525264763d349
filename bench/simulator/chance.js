import { Random } from '../harness/random.js';

/** Seeded draws: what the simulated machine and load do by chance. */
export class Chance {
  constructor(seed) {
    this.random = new Random(seed);
    // the first numbers of close seeds resemble each other
    for (let i = 0; i < 16; i++) this.random.next();
    this.rest = 0;
  }

  /** From 0 up to and not including 1. */
  uniform() {
    return this.random.next();
  }

  exponential(mean) {
    return -mean * Math.log(1 - this.uniform());
  }

  /** Normal (Box and Muller), standard. */
  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Lognormal by its median and the standard deviation of its logarithm. */
  lognormal(median, sigma) {
    return median * Math.exp(sigma * this.normal());
  }

  /** Whole microseconds whose sum is the sum of what was asked: virtual time has no parts of them. */
  whole(us) {
    const exact = us + this.rest;
    const whole = Math.floor(exact);
    this.rest = exact - whole;
    return whole;
  }

  /** What happens `everyUs` on the average, each time for `length()`, within a time: how long altogether. */
  stalls(withinUs, everyUs, length) {
    let total = 0;
    for (let at = this.exponential(everyUs); at < withinUs; at += this.exponential(everyUs)) total += length();
    return total;
  }
}
