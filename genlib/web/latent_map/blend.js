/** An empty place is decoded from this many nearest points' codes. */
export const BLEND = 8

/** A blend of the codes of the k points nearest to (x, y), with weights 1 / squared distance
 * (Shepard), as `blend` of genlib/explore/neighbours.py.
 * @param {number} x @param {number} y @param {Float32Array} points x0 y0 x1 y1 ...
 * @param {{codes: Uint8Array, low: Float32Array, high: Float32Array, latents: number}} shared codes
 *   as one byte a number, 0..255 from low to high
 * @param {number} [k] @returns {Float32Array} */
export const blendCodes = (x, y, points, { codes, low, high, latents }, k = BLEND) => {
  const near = [] // [squared distance, point], nearest first
  for (let i = 0; i < points.length / 2; i++) {
    const square = (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2
    if (near.length === k && square >= near[k - 1][0]) continue
    let at = near.length
    while (at > 0 && near[at - 1][0] > square) at--
    near.splice(at, 0, [square, i])
    if (near.length > k) near.pop()
  }
  const weights = near.map(([square]) => 1 / Math.max(square, 1e-12))
  const total = weights.reduce((a, b) => a + b, 0)
  const z = new Float32Array(latents)
  near.forEach(([, i], n) => {
    for (let j = 0; j < latents; j++) {
      z[j] += (weights[n] / total) * (low[j] + (codes[i * latents + j] / 255) * (high[j] - low[j]))
    }
  })
  return z
}
