// Densities p(x) on [-3, 3], by name or drawn by hand, as tables: heights of BINS bins of equal width.
//
// F is then piecewise straight, and both F and its inverse are exact up to the bins.

export const LOW = -3, HIGH = 3, BINS = 240
/** How many heights a hand-drawn density has; a bin takes that of the nearest. */
export const KNOTS = 48
export const DRAWN = "drawn by hand"
const WIDTH = (HIGH - LOW) / BINS

const bell = (x, mean, std) => Math.exp(-0.5 * ((x - mean) / std) ** 2) / std

/** name -> height at x, times any constant. */
export const DENSITIES = {
  "two modes": (x) => bell(x, -1.2, 0.25) + bell(x, 1.2, 0.25),
  "one mode": (x) => bell(x, 0, 0.6),
  "sharp edge": (x) => (x > -1.5 ? Math.exp(-(x + 1.5) / 0.8) : 0),
  even: (x) => (Math.abs(x) < 1.5 ? 1 : 0),
  "three modes": (x) => 0.5 * bell(x, -1.8, 0.2) + 0.3 * bell(x, 0, 0.3) + 0.2 * bell(x, 1.8, 0.15),
}

/** The middle of a bin. @param {number} i */
export const middle = (i) => LOW + (i + 0.5) * WIDTH

/** The density of these settings: p (BINS), which integrates to 1, and F at the bins' edges (BINS + 1).
 * @param {{density: string, heights: number[]}} settings @returns {{p: Float64Array, cdf: Float64Array}} */
export const tableOf = ({ density, heights }) => {
  const at = density === DRAWN ? (_, i) => heights[Math.floor((i * KNOTS) / BINS)] ?? 0 : DENSITIES[density]
  const p = Float64Array.from({ length: BINS }, (_, i) => at(middle(i), i))
  const total = p.reduce((sum, value) => sum + value, 0) * WIDTH
  if (total > 0) for (let i = 0; i < BINS; i++) p[i] /= total
  else p.fill(1 / (HIGH - LOW)) // nothing is drawn yet
  const cdf = new Float64Array(BINS + 1)
  for (let i = 0; i < BINS; i++) cdf[i + 1] = cdf[i] + p[i] * WIDTH
  return { p, cdf }
}

/** F(x). @param {Float64Array} cdf at the edges @param {number} x */
export const cdfAt = (cdf, x) => {
  const at = Math.min(BINS, Math.max(0, (x - LOW) / WIDTH)), i = Math.min(BINS - 1, Math.floor(at))
  return cdf[i] + (at - i) * (cdf[i + 1] - cdf[i])
}

/** F⁻¹(u): the x below which a share u lies. @param {Float64Array} cdf @param {number} u in (0, 1) */
export const quantile = (cdf, u) => {
  let low = 0, high = BINS // the last edge with F <= u
  while (high - low > 1) {
    const between = (low + high) >> 1
    if (cdf[between] <= u) low = between
    else high = between
  }
  const rise = cdf[low + 1] - cdf[low]
  return LOW + WIDTH * (low + (rise > 0 ? Math.min(1, (u - cdf[low]) / rise) : 0))
}

/** Φ(z), the share of N(0, 1) below z: Abramowitz & Stegun 1964, 26.2.17, off by at most 8e-8.
 * @param {number} z */
export const normalCdf = (z) => {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const tail = Math.exp(-0.5 * z * z) * 0.3989422804014327 * t
    * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return z < 0 ? tail : 1 - tail
}

/** Counts of samples in the bins, as a density (BINS), smoothed over a few bins; what lies outside is lost.
 * @param {ArrayLike<number>} samples @param {number} [reach] bins to each side of a triangular kernel */
export const densityOf = (samples, reach = 4) => {
  const counts = new Float64Array(BINS), smooth = new Float64Array(BINS)
  for (let i = 0; i < samples.length; i++) {
    const bin = Math.floor((samples[i] - LOW) / WIDTH)
    if (bin >= 0 && bin < BINS) counts[bin] += 1
  }
  const weight = (reach + 1) ** 2 * samples.length * WIDTH
  for (let i = 0; i < BINS; i++) {
    for (let by = -reach; by <= reach; by++) smooth[i] += ((counts[i + by] ?? 0) * (reach + 1 - Math.abs(by))) / (weight || 1)
  }
  return smooth
}
