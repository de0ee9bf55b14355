// Runs a decoder in the browser: the operation list that genlib/export/network.py writes, in plain
// JavaScript. genlib/export/operations.py is the reference; tests/web compares the two.
//
// Everything is prepared once by `compileDecoder`: weights are brought into the order in which the
// loops read them, and every operation owns its output, so that a decode allocates nothing.
//
// Images are kept as [height][width][channel] here, unlike PyTorch's [channel][height][width]: then
// the numbers that one kernel row sees lie side by side, and the inner loop is one dot product.

/** @typedef {object} Decoder
 * @property {(z: ArrayLike<number>) => Float32Array} decode H * W * C numbers in [0, 1], channels
 *   last; the same array every time
 * @property {number} latentDim @property {number} channels @property {number} height
 * @property {number} width @property {number} macs multiply-adds of one decode
 * @property {number} size of the weights in bytes
 * @property {Operation[]} operations what it does, in order
 * @property {(z: ArrayLike<number>) => Float32Array[]} trace as `decode`, but returns copies of the
 *   numbers after each operation; images channels last */

/** @typedef {object} Operation one entry of genlib/export/operations.py, with its numbers
 * @property {string} op its name @property {number[]} shape of its result: [d] or [C, H, W]
 * @property {Float32Array} [weight] in PyTorch's order @property {Float32Array} [bias]
 * @property {number} [kernel] @property {number} [stride] @property {number} [padding] */

/** Prepare a decoder.
 * @param {{ops: object[], dtype: string, latent_dim: number, shape: number[], macs: number}} model
 *   with shape [C, H, W] and dtype "float32" or "float16"
 * @param {Uint8Array} bytes the weights @returns {Decoder}
 * @throws {Error} for an operation that is not known here */
export const compileDecoder = (model, bytes) => {
  const numbers = toFloat32(bytes, model.dtype)
  const [channels, height, width] = model.shape
  const steps = [], after = [] // what to run, and where each operation leaves its result
  let shape = [model.latent_dim]
  let buffer = new Float32Array(model.latent_dim)
  const input = buffer
  for (const op of model.ops) {
    const make = OPERATIONS[op.op]
    if (!make) throw new Error(`This page does not know the operation "${op.op}".`)
    const step = make(op, shape, buffer, numbers)
    if (step.run) steps.push(step.run)
    buffer = step.out
    after.push({ run: step.run, out: buffer })
    shape = op.shape
  }
  const output = buffer
  return {
    latentDim: model.latent_dim, channels, height, width,
    macs: model.macs, size: bytes.byteLength,
    decode(z) {
      input.set(z)
      for (let i = 0; i < steps.length; i++) steps[i]()
      return output
    },
    operations: model.ops.map((op) => ({
      ...op, ...(op.weight && { weight: block(numbers, op.weight), bias: block(numbers, op.bias) }),
    })),
    trace(z) {
      input.set(z)
      // Copies, since element-wise functions work in place.
      return after.map(({ run, out }) => { run?.(); return out.slice() })
    },
  }
}

const toFloat32 = (bytes, dtype) => {
  // A copy, since a view would need the bytes to start at a multiple of four.
  const copy = bytes.slice().buffer
  if (dtype === "float32") return new Float32Array(copy)
  const half = new Uint16Array(copy)
  const out = new Float32Array(half.length)
  for (let i = 0; i < half.length; i++) {
    const h = half[i], sign = h & 0x8000 ? -1 : 1, exponent = (h >> 10) & 31, fraction = h & 1023
    out[i] = exponent === 0
      ? sign * fraction * 2 ** -24
      : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  }
  return out
}

// out[o + r] += weight row r . x, for `rows` rows that start `stride` apart, `n` numbers each.
// Four rows at a time: each number of x is read once for four, and the four sums do not wait for
// one another as a single running sum would.
const addProduct = (weight, w, stride, rows, n, x, first, out, o) => {
  let r = 0
  for (; r + 3 < rows; r += 4, w += 4 * stride) {
    let s0 = 0, s1 = 0, s2 = 0, s3 = 0
    const w1 = w + stride, w2 = w1 + stride, w3 = w2 + stride
    for (let k = 0; k < n; k++) {
      const v = x[first + k]
      s0 += weight[w + k] * v
      s1 += weight[w1 + k] * v
      s2 += weight[w2 + k] * v
      s3 += weight[w3 + k] * v
    }
    out[o + r] += s0
    out[o + r + 1] += s1
    out[o + r + 2] += s2
    out[o + r + 3] += s3
  }
  for (; r < rows; r++, w += stride) {
    let sum = 0
    for (let k = 0; k < n; k++) sum += weight[w + k] * x[first + k]
    out[o + r] += sum
  }
}

const block = (numbers, [first, count]) => numbers.subarray(first, first + count)
const product = (shape) => shape.reduce((a, b) => a * b, 1)

const linear = (op, shape, x, numbers) => {
  const weight = block(numbers, op.weight), bias = block(numbers, op.bias)
  const n = shape[0], rows = op.shape[0], out = new Float32Array(rows)
  const run = () => { out.set(bias); addProduct(weight, 0, n, rows, n, x, 0, out, 0) }
  return { out, run }
}

const conv = (op, [inC, inH, inW], x, numbers) => {
  const [outC, outH, outW] = op.shape
  const { kernel: k, stride: s, padding: p } = op
  const bias = block(numbers, op.bias), given = block(numbers, op.weight)
  // (out, in, k, k) -> (out, k, k, in)
  const row = k * k * inC, weight = new Float32Array(given.length)
  for (let o = 0; o < outC; o++)
    for (let c = 0; c < inC; c++)
      for (let t = 0; t < k * k; t++) weight[o * row + t * inC + c] = given[(o * inC + c) * k * k + t]
  const out = new Float32Array(outC * outH * outW)
  const run = () => {
    for (let oy = 0, at = 0; oy < outH; oy++) {
      const y0 = oy * s - p, i0 = Math.max(0, -y0), i1 = Math.min(k, inH - y0)
      for (let ox = 0; ox < outW; ox++, at += outC) {
        const x0 = ox * s - p, j0 = Math.max(0, -x0), j1 = Math.min(k, inW - x0)
        out.set(bias, at)
        for (let i = i0; i < i1; i++) {
          const seen = ((y0 + i) * inW + x0 + j0) * inC
          addProduct(weight, (i * k + j0) * inC, row, outC, (j1 - j0) * inC, x, seen, out, at)
        }
      }
    }
  }
  return { out, run }
}

const convTranspose = (op, [inC, inH, inW], x, numbers) => {
  const [outC, outH, outW] = op.shape
  const { kernel: k, stride: s, padding: p } = op
  const bias = block(numbers, op.bias), given = block(numbers, op.weight)
  // (in, out, k, k) -> (k, k, out, in)
  const tap = outC * inC, weight = new Float32Array(given.length)
  for (let c = 0; c < inC; c++)
    for (let o = 0; o < outC; o++)
      for (let t = 0; t < k * k; t++) weight[t * tap + o * inC + c] = given[(c * outC + o) * k * k + t]
  const out = new Float32Array(outC * outH * outW)
  const run = () => {
    for (let oy = 0, at = 0; oy < outH; oy++) {
      for (let ox = 0; ox < outW; ox++, at += outC) {
        out.set(bias, at)
        // Input (iy, ix) stamps output (iy * s + i - p, ix * s + j - p): walk the taps that hit.
        for (let i = (oy + p) % s, iy = (oy + p - i) / s; i < k && iy >= 0; i += s, iy--) {
          if (iy >= inH) continue
          for (let j = (ox + p) % s, ix = (ox + p - j) / s; j < k && ix >= 0; j += s, ix--) {
            if (ix >= inW) continue
            addProduct(weight, (i * k + j) * tap, inC, outC, inC, x, (iy * inW + ix) * inC, out, at)
          }
        }
      }
    }
  }
  return { out, run }
}

const upsample = (op, [channels, inH, inW], x) => {
  const [, outH, outW] = op.shape, f = op.factor
  const out = new Float32Array(channels * outH * outW)
  const run = () => {
    for (let y = 0, at = 0; y < outH; y++)
      for (let col = 0; col < outW; col++) {
        let from = (((y / f) | 0) * inW + ((col / f) | 0)) * channels
        for (let c = 0; c < channels; c++) out[at++] = x[from++]
      }
  }
  return { out, run }
}

// Between a vector and an image the order of numbers changes, since channels come last here.
const reshape = (op, shape, x) => {
  const image = op.shape.length === 3 ? op.shape : shape.length === 3 ? shape : null
  if (shape.length === 3 && op.shape.length === 3 && String(shape) !== String(op.shape))
    throw new Error("This page cannot reshape one image into another.")
  if (!image || image[0] === 1 || image[1] * image[2] === 1 || shape.length === op.shape.length)
    return { out: x }
  const [channels, height, width] = image, places = height * width, out = new Float32Array(x.length)
  const toImage = op.shape.length === 3
  const run = () => {
    for (let c = 0; c < channels; c++)
      for (let q = 0; q < places; q++) {
        if (toImage) out[q * channels + c] = x[c * places + q]
        else out[c * places + q] = x[q * channels + c]
      }
  }
  return { out, run }
}

// Element-wise functions work in place; the name of each is that of genlib/export/operations.py.
const inPlace = (make) => (op, _shape, x) => ({ out: x, run: make(op, x, x.length) })

const OPERATIONS = {
  linear, conv, conv_transpose: convTranspose, upsample, reshape,
  relu: inPlace((op, x, n) => () => { for (let i = 0; i < n; i++) if (x[i] < 0) x[i] = 0 }),
  leaky_relu: inPlace((op, x, n) => () => { for (let i = 0; i < n; i++) if (x[i] < 0) x[i] *= op.slope }),
  tanh: inPlace((op, x, n) => () => { for (let i = 0; i < n; i++) x[i] = Math.tanh(x[i]) }),
  sigmoid: inPlace((op, x, n) => () => { for (let i = 0; i < n; i++) x[i] = 1 / (1 + Math.exp(-x[i])) }),
  affine: inPlace((op, x, n) => () => { for (let i = 0; i < n; i++) x[i] = x[i] * op.scale + op.shift }),
  clamp: inPlace((op, x, n) => () => {
    for (let i = 0; i < n; i++) x[i] = Math.min(op.high, Math.max(op.low, x[i]))
  }),
}
