// Least squares with polynomials: Legendre polynomials on the data's own range scaled to [-1, 1], and
// Householder's QR, so that degree 15 is as exact as a line. A point is [z, x].
import { logPdf } from "../shared/normal.js"

/** The first degree + 1 Legendre polynomials at t. @param {number} t @param {number} degree */
export const legendre = (t, degree) => {
  const p = [1, t]
  for (let k = 1; k < degree; k++) p.push(((2 * k + 1) * t * p[k] - k * p[k - 1]) / (k + 1))
  return p.slice(0, degree + 1)
}

/** Householder's QR of tall rows, in place, with the right-hand side along.
 * @param {number[][]} rows n rows of m + 1 numbers, n >= m: afterwards the first m rows hold [R | Q^T x] */
const triangular = (rows, m) => {
  for (let j = 0; j < m; j++) {
    let norm = 0
    for (let i = j; i < rows.length; i++) norm = Math.hypot(norm, rows[i][j])
    const v = rows.map((row, i) => (i < j ? 0 : row[j]))
    v[j] += v[j] < 0 ? -norm : norm
    const size = v.reduce((sum, a) => sum + a * a, 0)
    if (size === 0) continue
    for (let c = j; c <= m; c++) {
      let dot = 0
      for (let i = j; i < rows.length; i++) dot += v[i] * rows[i][c]
      const by = (2 * dot) / size
      for (let i = j; i < rows.length; i++) rows[i][c] -= by * v[i]
    }
  }
}

/** The highest degree that points can carry: different z, less 2, so that an error is left.
 * @param {number[][]} points @param {number} [most] */
export const highestDegree = (points, most = 15) =>
  Math.max(0, Math.min(most, new Set(points.map((p) => p[0])).size - 2))

/** The polynomial of this degree with the least squared error, and the Gaussian error around it.
 * @param {number[][]} points [z, x], more than degree + 1 different z @param {number} degree
 * @returns {object} for the functions below. sigma: of the error, most likely (divided by n);
 *   spread: unbiased (divided by n - degree - 1) */
export const fitPolynomial = (points, degree) => {
  const zs = points.map((p) => p[0]), low = Math.min(...zs), high = Math.max(...zs), m = degree + 1
  const scale = { low, high: high > low ? high : low + 1, degree }
  const rows = points.map(([z, x]) => [...features(scale, z), x])
  triangular(rows, m)
  const r = rows.slice(0, m), weights = new Array(m).fill(0)
  for (let i = m - 1; i >= 0; i--) {
    let left = r[i][m]
    for (let j = i + 1; j < m; j++) left -= r[i][j] * weights[j]
    weights[i] = left / r[i][i]
  }
  const model = { ...scale, weights, r, n: points.length }
  const squares = points.reduce((sum, [z, x]) => sum + (x - predict(model, z)) ** 2, 0)
  model.squares = squares
  model.sigma = Math.sqrt(squares / points.length)
  model.spread = points.length > m ? Math.sqrt(squares / (points.length - m)) : 0
  return model
}

const features = ({ low, high, degree }, z) =>
  legendre((2 * (z - low)) / (high - low) - 1, degree)

/** The model's x at z. @param {object} model @param {number} z */
export const predict = (model, z) =>
  features(model, z).reduce((sum, f, i) => sum + f * model.weights[i], 0)

/** How far the model at z hangs on the data, phi^T (Phi^T Phi)^-1 phi: the variance of its x at z
 * in units of the error's. @param {object} model @param {number} z */
export const leverage = (model, z) => {
  const f = features(model, z), u = []
  for (let i = 0; i < f.length; i++) {
    let left = f[i]
    for (let j = 0; j < i; j++) left -= model.r[j][i] * u[j]
    u.push(left / model.r[i][i])
  }
  return u.reduce((sum, a) => sum + a * a, 0)
}

/** Mean log p(x | z) of points in nats, with the model's sigma. @param {object} model
 * @param {number[][]} points at least one */
export const meanLogLikelihood = (model, points) =>
  points.reduce((sum, [z, x]) => sum + logPdf(x, predict(model, z), model.sigma), 0) / points.length
