// How well samples cover the data, as numbers.
const SIGMAS = 3, FAIR = 0.25, NEAREST = 5

const squared = (a, i, b, j) => (a[2 * i] - b[2 * j]) ** 2 + (a[2 * i + 1] - b[2 * j + 1]) ** 2

/** The root of the mean squared distance of points from their mean. @param {Float32Array} points (n, 2) */
export const spreadOf = (points) => {
  const n = points.length / 2
  let x = 0, y = 0, sum = 0
  for (let i = 0; i < n; i++) { x += points[2 * i] / n; y += points[2 * i + 1] / n }
  for (let i = 0; i < n; i++) sum += (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2
  return Math.sqrt(sum / n)
}

/** A function of samples (n, 2) for one target.
 *
 * Where the target has modes: `covered` of `modes` hold a quarter or more of their fair share of the
 * samples within 3 standard deviations, and `close` is the share of samples that near to any mode
 * (Srivastava et al. 2017, arXiv:1705.07761, count modes with any sample at all). Elsewhere a real
 * point counts as covered where a sample is nearer to it than its fifth nearest real neighbour (Naeem
 * et al. 2020, arXiv:2002.09797): `covered` is their share, and `close` the share of samples that are
 * so near to some real point. `spread` is the samples' over the data's.
 * @param {object} target of targets.js @param {Float32Array} real points (m, 2)
 * @returns {(samples: Float32Array) => {covered: number, modes: number, close: number, spread: number}} */
export const measureOf = (target, real) => {
  const spread = spreadOf(real) || 1
  const count = target.modes ? byModes(target) : byNeighbours(real)
  return (samples) => ({ ...count(samples), spread: spreadOf(samples) / spread })
}

const byModes = ({ modes, std }) => (samples) => {
  const n = samples.length / 2, held = modes.map(() => 0), reach = (SIGMAS * std) ** 2
  let close = 0
  for (let i = 0; i < n; i++) {
    const k = modes.findIndex(([x, y]) => (samples[2 * i] - x) ** 2 + (samples[2 * i + 1] - y) ** 2 < reach)
    if (k < 0) continue
    held[k] += 1
    close += 1
  }
  const fair = (FAIR * n) / modes.length
  return { covered: held.filter((count) => count >= fair).length, modes: modes.length, close: close / n }
}

const byNeighbours = (real) => {
  const m = real.length / 2, reach = new Float64Array(m)
  for (let i = 0; i < m; i++) {
    const all = Float64Array.from({ length: m }, (_, j) => squared(real, i, real, j)).sort()
    reach[i] = all[Math.min(NEAREST, m - 1)] // the first is the point itself
  }
  return (samples) => {
    const n = samples.length / 2, met = new Uint8Array(m)
    let close = 0
    for (let j = 0; j < n; j++) {
      let near = 0
      for (let i = 0; i < m; i++) if (squared(real, i, samples, j) < reach[i]) near = met[i] = 1
      close += near
    }
    return { covered: met.reduce((sum, one) => sum + one, 0) / m, modes: 0, close: close / n }
  }
}
