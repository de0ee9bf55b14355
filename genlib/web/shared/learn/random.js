// Seeded random numbers that another language can repeat: the n-th number is a hash of seed and n.
// The hash is mulberry32 (Tommy Ettinger, public domain), which counts and mixes.
const STEP = 0x6d2b79f5

/** What a number generator is for, so that other numbers of one kind leave those of another alone. */
export const STREAMS = { generator: 1, discriminator: 2, data: 3, noise: 4, shown: 5 }

/** 32 well mixed bits of a whole number. @param {number} state @returns {number} */
export const mix = (state) => {
  let t = Math.imul(state ^ (state >>> 15), state | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return (t ^ (t >>> 14)) >>> 0
}

export class Random {
  /** @param {number} seed a whole number from 0 @param {number} stream one of STREAMS */
  constructor(seed, stream) { this.state = mix((Math.imul(seed, 2654435761) + stream) | 0) }

  /** The next number, in (0, 1): its 2^32 values leave out both ends. */
  uniform() {
    this.state = (this.state + STEP) | 0
    return (mix(this.state) + 0.5) / 4294967296
  }

  /** Fill an array from N(0, 1), by the method of Box and Muller: two at a time from two uniforms.
   * @param {Float32Array} out @returns {Float32Array} */
  normals(out) {
    for (let i = 0; i < out.length; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(this.uniform())), angle = 2 * Math.PI * this.uniform()
      out[i] = radius * Math.cos(angle)
      if (i + 1 < out.length) out[i + 1] = radius * Math.sin(angle)
    }
    return out
  }

  /** Fill an array evenly from low to high. @param {Float32Array} out */
  uniforms(out, low = 0, high = 1) {
    for (let i = 0; i < out.length; i++) out[i] = low + (high - low) * this.uniform()
    return out
  }
}
