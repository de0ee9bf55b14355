// Two classes: one Gaussian each and Bayes' rule, against logistic regression.
import { fitGaussian, logDensity } from "../shared/gaussian.js"

/** p(x, y) = p(y) N(x; mean_y, cov_y), at its maximum of the likelihood.
 * @param {number[][]} points [x, y, class 0 or 1], both classes @param {boolean} shared one covariance for both
 * @returns {{prior: number, parts: object[]}} prior: p(y = 1) */
export const fitClasses = (points, shared) => {
  const groups = [0, 1].map((c) => points.filter((p) => p[2] === c))
  const parts = groups.map((group) => fitGaussian(group))
  const prior = groups[1].length / points.length
  if (shared) {
    const cov = [0, 1, 2].map((i) => (1 - prior) * parts[0].cov[i] + prior * parts[1].cov[i])
    for (const part of parts) part.cov = cov
  }
  return { prior, parts }
}

/** Log-odds of class 1: log p(y = 1 | x) - log p(y = 0 | x), by Bayes' rule. */
export const logOdds = ({ prior, parts }, x, y) =>
  Math.log(prior) - Math.log(1 - prior) + logDensity(parts[1], x, y) - logDensity(parts[0], x, y)

/** The probability that goes with log-odds. @param {number} odds */
export const logistic = (odds) => 1 / (1 + Math.exp(-odds))

/** The share of points that log-odds put into their class.
 * @param {(x: number, y: number) => number} odds @param {number[][]} points */
export const accuracy = (odds, points) =>
  points.filter(([x, y, c]) => (odds(x, y) > 0) === (c === 1)).length / points.length

const solve3 = (m, v) => {
  const a = m.map((row, i) => [...row, v[i]])
  for (let i = 0; i < 3; i++) {
    const best = [0, 1, 2].slice(i).reduce((p, q) => (Math.abs(a[q][i]) > Math.abs(a[p][i]) ? q : p))
    ;[a[i], a[best]] = [a[best], a[i]]
    for (let r = 0; r < 3; r++) {
      if (r === i) continue
      const by = a[r][i] / a[i][i]
      for (let c = i; c < 4; c++) a[r][c] -= by * a[i][c]
    }
  }
  return a.map((row, i) => row[3] / row[i])
}

const newton = (rows, [b, u, v]) => {
  const gradient = [0, 0, 0], hessian = [[1e-9, 0, 0], [0, 1e-9, 0], [0, 0, 1e-9]]
  for (const [x, y, c] of rows) {
    const p = logistic(b + u * x + v * y), f = [1, x, y]
    for (let i = 0; i < 3; i++) {
      gradient[i] += (c - p) * f[i]
      for (let j = 0; j < 3; j++) hessian[i][j] += p * (1 - p) * f[i] * f[j]
    }
  }
  return solve3(hessian, gradient)
}

/** Logistic regression without a penalty, by Newton's method on standardised inputs.
 * @param {number[][]} points [x, y, class], both classes
 * @returns {{bias: number, weights: number[], separable: boolean}} separable: a line separates the
 *   classes, so that no steepness is the best, and the search was stopped */
export const logisticRegression = (points) => {
  const { mean, cov } = fitGaussian(points), sd = [Math.sqrt(cov[0]) || 1, Math.sqrt(cov[2]) || 1]
  const rows = points.map(([x, y, c]) => [(x - mean[0]) / sd[0], (y - mean[1]) / sd[1], c])
  let w = [0, 0, 0]
  for (let step = 0; step < 30; step++) {
    const by = newton(rows, w), size = Math.hypot(...by)
    w = w.map((value, i) => value + by[i] * Math.min(1, 5 / size))
    if (size < 1e-10 || Math.hypot(...w) > 60) break
  }
  const weights = [w[1] / sd[0], w[2] / sd[1]]
  const bias = w[0] - weights[0] * mean[0] - weights[1] * mean[1]
  const odds = (x, y) => bias + weights[0] * x + weights[1] * y
  return { bias, weights, separable: accuracy(odds, points) === 1 }
}
