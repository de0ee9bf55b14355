// Binary units in layers, as numbers only: an RBM (one pair) or a DBN (several), and its chain.
//
//   pairs, bottom first:  { w, a, b, n, m }   w row by row, (n, m); a: biases of n; b: biases of m

/** @param {number[][]} sizes [n, m] of each pair
 * @param {Float32Array} numbers w, a and b of each pair in a row @returns {object[]} pairs, bottom first */
export const compileStack = (sizes, numbers) => {
  let at = 0
  const take = (count) => numbers.subarray(at, (at += count))
  return sizes.map(([n, m]) => ({ n, m, w: take(n * m), a: take(n), b: take(m) }))
}

/** b + v W; units that are 0 cost nothing. @returns {Float32Array} (m,) */
export const upward = ({ w, b, n, m }, v) => {
  const out = Float32Array.from(b)
  for (let i = 0; i < n; i++) {
    if (v[i] === 0) continue
    for (let j = 0, row = i * m; j < m; j++) out[j] += v[i] * w[row + j]
  }
  return out
}

/** a + W h for binary h. @returns {Float32Array} (n,) */
export const downward = ({ w, a, n, m }, h) => {
  const out = Float32Array.from(a), on = []
  for (let j = 0; j < m; j++) if (h[j]) on.push(j)
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let k = 0, row = i * m; k < on.length; k++) sum += w[row + on[k]]
    out[i] += sum
  }
  return out
}

/** The logistic function of each number. @param {Float32Array} numbers */
export const sigmoid = (numbers) => numbers.map((x) => 1 / (1 + Math.exp(-x)))
const draw = (p) => p.map((x) => (Math.random() < x ? 1 : 0))

/** F(x) = -a x - sum softplus(b + x W), in nats; `up` is b + x W. @returns {number} */
export const freeEnergy = ({ a, n }, x, up) => {
  let sum = 0
  for (let i = 0; i < n; i++) sum -= a[i] * x[i]
  for (const u of up) sum -= Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)))
  return sum
}

const noise = (n) => Float32Array.from({ length: n }, () => (Math.random() < 0.5 ? 1 : 0))

/** A Gibbs chain. v: pixels drawn; p: their probabilities; h and hp: top units drawn and their
 * probabilities; x: the lower layer of the top pair; f: its free energy in nats. */
export class Chain {
  /** @param {object[]} pairs
   * @param {Float32Array | null} v pixels (0 and 1) at the start; null starts at noise
   * @param {Uint8Array | null} known 1 where a pixel keeps its value in `given`
   * @param {Float32Array} given */
  constructor(pairs, v, known, given) {
    Object.assign(this, { pairs, known, given, top: pairs.at(-1), h: null })
    this.v = v ? Float32Array.from(v) : noise(pairs[0].n)
    this.hold(this.v)
    this.p = Float32Array.from(this.v)
    this.x = v || known || pairs.length === 1 ? this.recognise() : noise(this.top.n)
    this.look()
  }

  /** One Gibbs step in the top pair, then down to the pixels. Where pixels are known, a DBN is led by
   * its recognition weights, which is not exactly p(unknown | known); in an RBM it is. */
  step() {
    const { pairs } = this
    if (this.known && pairs.length > 1) {
      this.x = this.recognise()
      this.look()
    }
    this.h = draw(this.hp)
    let p = sigmoid(downward(this.top, this.h))
    this.x = draw(p)
    let below = this.x
    for (let k = pairs.length - 2; k >= 0; k--) {
      p = sigmoid(downward(pairs[k], below))
      below = draw(p)
    }
    this.p = p
    this.v = below
    this.hold(this.p)
    this.hold(this.v)
    if (pairs.length === 1) this.x = this.v
    this.look()
  }
  recognise() { return this.pairs.slice(0, -1).reduce((x, pair) => draw(sigmoid(upward(pair, x))), this.v) }
  look() {
    const up = upward(this.top, this.x)
    this.f = freeEnergy(this.top, this.x, up)
    this.hp = sigmoid(up)
    this.h ??= draw(this.hp)
  }
  hold(pixels) {
    if (this.known) for (let i = 0; i < pixels.length; i++) if (this.known[i]) pixels[i] = this.given[i]
  }
}
