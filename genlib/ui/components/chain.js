// Binary units in layers, as numbers only: an RBM (one pair) or a DBN (several), and its chain.
//
//   pairs, bottom first:  { w, a, b, n, m }   w row by row, (n, m); a: biases of n; b: biases of m
//   a chain:              { v, p, h, x, f }   pixels drawn, their probabilities, top units, the
//                                             lower layer of the top pair, its free energy in nats

export function compileStack(sizes, numbers) {
  let at = 0
  const take = (count) => numbers.subarray(at, (at += count))
  return sizes.map(([n, m]) => ({ n, m, w: take(n * m), a: take(n), b: take(m) }))
}

// b + v W. Units that are 0 cost nothing.
export function upward({ w, b, n, m }, v) {
  const out = Float32Array.from(b)
  for (let i = 0; i < n; i++) {
    if (v[i] === 0) continue
    for (let j = 0, row = i * m; j < m; j++) out[j] += v[i] * w[row + j]
  }
  return out
}

// a + W h for binary h.
export function downward({ w, a, n, m }, h) {
  const out = Float32Array.from(a), on = []
  for (let j = 0; j < m; j++) if (h[j]) on.push(j)
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let k = 0, row = i * m; k < on.length; k++) sum += w[row + on[k]]
    out[i] += sum
  }
  return out
}

export const sigmoid = (numbers) => numbers.map((x) => 1 / (1 + Math.exp(-x)))
export const draw = (p) => p.map((x) => (Math.random() < x ? 1 : 0))

// F(x) = -a x - sum softplus(b + x W), in nats; `up` is b + x W.
export function freeEnergy({ a, n }, x, up) {
  let sum = 0
  for (let i = 0; i < n; i++) sum -= a[i] * x[i]
  for (const u of up) sum -= Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)))
  return sum
}

// A chain that starts at pixels v (0 and 1), or at noise where v is null. `known` marks pixels
// (1) that keep the value in `given`.
export function startChain(pairs, v, known, given) {
  const noise = (n) => Float32Array.from({ length: n }, () => (Math.random() < 0.5 ? 1 : 0))
  const c = { known, given, v: v ? Float32Array.from(v) : noise(pairs[0].n), h: null }
  hold(c, c.v)
  c.p = Float32Array.from(c.v)
  c.x = v || known || pairs.length === 1 ? recognise(pairs, c.v) : noise(pairs.at(-1).n)
  look(pairs, c)
  return c
}

// One Gibbs step in the top pair, then down to the pixels. Where pixels are known, a DBN is led by
// its recognition weights, which is not exactly p(unknown | known); in an RBM it is.
export function stepChain(pairs, c) {
  const top = pairs.at(-1)
  if (c.known && pairs.length > 1) {
    c.x = recognise(pairs, c.v)
    look(pairs, c)
  }
  c.h = draw(c.hp)
  let p = sigmoid(downward(top, c.h))
  c.x = draw(p)
  let below = c.x
  for (let k = pairs.length - 2; k >= 0; k--) {
    p = sigmoid(downward(pairs[k], below))
    below = draw(p)
  }
  c.p = p
  c.v = below
  hold(c, c.p)
  hold(c, c.v)
  if (pairs.length === 1) c.x = c.v
  look(pairs, c)
}

function recognise(pairs, v) {
  for (const pair of pairs.slice(0, -1)) v = draw(sigmoid(upward(pair, v)))
  return v
}

function look(pairs, c) {
  const up = upward(pairs.at(-1), c.x)
  c.f = freeEnergy(pairs.at(-1), c.x, up)
  c.hp = sigmoid(up)
  c.h ??= draw(c.hp)
}

function hold(c, pixels) {
  if (c.known) for (let i = 0; i < pixels.length; i++) if (c.known[i]) pixels[i] = c.given[i]
}
