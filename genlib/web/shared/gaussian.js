// A Gaussian in the plane: {mean: [x, y], cov: [xx, xy, yy]}. Points are [x, y, class].
const LOG_2_PI = Math.log(2 * Math.PI)
const FLOOR = 1e-4 // of the data's variance: a hundredth of its standard deviation

const determinant = ([xx, xy, yy]) => xx * yy - xy * xy

/** The Gaussian under which points are most likely (covariance divided by n).
 * @param {number[][]} points at least one
 * @param {(index: number) => number} [weight] of each point, not negative
 * @returns {{mean: number[], cov: number[], total: number}} total: the sum of the weights */
export const fitGaussian = (points, weight = () => 1) => {
  let total = 0, mx = 0, my = 0
  points.forEach(([x, y], i) => { const w = weight(i); total += w; mx += w * x; my += w * y })
  mx /= total
  my /= total
  let xx = 0, xy = 0, yy = 0
  points.forEach(([x, y], i) => {
    const w = weight(i) / total, dx = x - mx, dy = y - my
    xx += w * dx * dx
    xy += w * dx * dy
    yy += w * dy * dy
  })
  return { mean: [mx, my], cov: [xx, xy, yy], total }
}

/** (x - mean)^T cov^-1 (x - mean), the squared distance in standard deviations. */
const mahalanobis = ({ mean, cov }, x, y) => {
  const dx = x - mean[0], dy = y - mean[1], [xx, xy, yy] = cov
  return (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / determinant(cov)
}

/** log N((x, y); mean, cov) in nats. */
export const logDensity = (g, x, y) =>
  -LOG_2_PI - 0.5 * (Math.log(determinant(g.cov)) + mahalanobis(g, x, y))

/** Mean log-density of points in nats. @param {object} g @param {number[][]} points at least one */
export const meanLogDensity = (g, points) =>
  points.reduce((sum, [x, y]) => sum + logDensity(g, x, y), 0) / points.length

/** The correlation of x and y, in [-1, 1]. */
export const correlation = ({ cov: [xx, xy, yy] }) => xy / Math.sqrt(xx * yy)

/** The covariance of these standard deviations and this correlation. */
export const covariance = (sx, sy, rho) => [sx * sx, rho * sx * sy, sy * sy]

/** p(y | x), again a Gaussian. @returns {{mu: number, sigma: number}} */
export const conditional = ({ mean, cov: [xx, xy, yy] }, x) =>
  ({ mu: mean[1] + (xy / xx) * (x - mean[0]), sigma: Math.sqrt(yy - (xy * xy) / xx) })

/** The ellipse of one standard deviation: half axes and the angle of the longer one.
 * @param {number[]} cov @returns {{angle: number, major: number, minor: number}} angle in radians */
export const axesOf = ([xx, xy, yy]) => {
  const half = (xx + yy) / 2, apart = Math.hypot((xx - yy) / 2, xy)
  return {
    angle: 0.5 * Math.atan2(2 * xy, xx - yy),
    major: Math.sqrt(half + apart),
    minor: Math.sqrt(Math.max(0, half - apart)),
  }
}

/** The covariance whose ellipse has these half axes: the inverse of `axesOf`. */
export const fromAxes = (angle, major, minor) => {
  const c = Math.cos(angle), s = Math.sin(angle), a = major * major, b = minor * minor
  return [a * c * c + b * s * s, (a - b) * c * s, a * s * s + b * c * c]
}

/** The place that (u, v) of a standard Gaussian becomes: mean + L (u, v), where L L^T = cov. */
export const place = ({ mean, cov: [xx, xy, yy] }, u, v) => {
  const a = Math.sqrt(xx)
  return [mean[0] + a * u, mean[1] + (xy / a) * u + Math.sqrt(Math.max(0, yy - (xy * xy) / xx)) * v]
}

/** A random place. @param {object} g @param {import("./chance.js").Chance} chance */
export const sample = (g, chance) => place(g, chance.normal(), chance.normal())

/** The diagonal Gaussian under which the points of g are most likely: minimises KL(g || diagonal). */
export const diagonal = ({ mean, cov: [xx, , yy] }) => ({ mean, cov: [xx, 0, yy] })

/** The diagonal Gaussian q that minimises KL(q || g), as a VAE's encoder does: too narrow.
 * Its variances are those of one number when the other is known: 1 / (cov^-1)_ii. */
export const diagonalQ = ({ mean, cov }) => {
  const [xx, , yy] = cov, d = determinant(cov)
  return { mean, cov: [d / yy, 0, d / xx] }
}

/** KL(q || p) in nats. */
export const divergence = (q, p) => {
  const [a, b, c] = q.cov, [xx, xy, yy] = p.cov, d = determinant(p.cov)
  const trace = (yy * a - 2 * xy * b + xx * c) / d
  return 0.5 * (trace + mahalanobis(p, ...q.mean) - 2 + Math.log(d / determinant(q.cov)))
}

/** The smallest variances of x and of y that a fit may have, each in its own unit: a share of the data's.
 * @param {number[]} cov of all the data @returns {number[]} above 0 */
export const floorOf = ([xx, , yy]) => [xx, yy].map((variance) => FLOOR * variance || 1e-9)

/** Keep a covariance away from a line or a point, so that it has a density. Scaled to floors of 1, it gets at
 * least a variance of 1 along every direction; no other such covariance makes points of covariance cov as likely.
 * @param {number[]} cov @param {number[]} floor of x and of y, above 0 */
export const atLeast = ([xx, xy, yy], [fx, fy]) => {
  const fxy = Math.sqrt(fx * fy), { angle, major, minor } = axesOf([xx / fx, xy / fxy, yy / fy])
  if (minor >= 1) return [xx, xy, yy]
  const [a, b, c] = fromAxes(angle, Math.max(major, 1), 1)
  return [a * fx, b * fxy, c * fy]
}
