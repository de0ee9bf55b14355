/** Random numbers that a seed determines, so that a link shows the same draws: Mulberry32, whose
 * period of 2^32 is long enough for pictures and too short for research. */
export class Chance {
  /** @param {number} seed any integer */
  constructor(seed) { this.state = seed >>> 0 }

  /** @returns {number} uniform in [0, 1) */
  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** @returns {number} from N(0, 1), by Box and Muller */
  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** @param {number[]} weights not negative @returns {number} an index, as often as its weight says */
  pick(weights) {
    let left = this.uniform() * weights.reduce((sum, w) => sum + w, 0)
    return Math.max(0, weights.findIndex((w) => (left -= w) < 0))
  }
}
