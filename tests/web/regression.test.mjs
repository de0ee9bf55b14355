// Polynomials against numpy's least squares.
import assert from "node:assert/strict"
import { test } from "node:test"
import { scores } from "../../genlib/web/linear_regression/compare.js"
import { lineText } from "../../genlib/web/linear_regression/common.js"
import { halfWidth, WithError } from "../../genlib/web/linear_regression/error.js"
import { generated } from "../../genlib/web/linear_regression/generate.js"
import { LINES } from "../../genlib/web/linear_regression/limit.js"
import * as polynomial from "../../genlib/web/linear_regression/polynomial.js"
import { Lab } from "../../genlib/web/shared/lab.js"
import { given } from "./given.mjs"
import { near } from "./near.mjs"

const { adults, regression } = given.statistics

test("polynomials of every degree are numpy's least squares", () => {
  for (const one of regression) {
    const model = polynomial.fitPolynomial(one.points, one.degree)
    near(one.at.map((z) => polynomial.predict(model, z)), one.predicted, 1e-8)
    near(one.at.map((z) => polynomial.leverage(model, z)), one.leverage, 1e-7)
    near([model.sigma, model.spread], [one.sigma, one.spread], 1e-8)
    near([false, true].map((point) => one.at.map(halfWidth(model, point))), one.bands, 1e-7)
    near(polynomial.meanLogLikelihood(model, one.held), one.heldOut, 1e-6)
  }
})

test("a line is written as people write it", () => {
  assert.equal(lineText(0, 63.219), "x = 63.22")
  assert.equal(lineText(0, 63.219, [["height", "cm"], ["weight", "kg"]]), "weight = 63.22 kg")
  assert.equal(lineText(0.6, -33.5, [["height", "cm"], ["weight", "kg"]]), "weight = 0.6 · height − 33.5")
  assert.equal(lineText(0.6, -33.5), "x = 0.6 z − 33.5")
  assert.equal(lineText(-0.25, 4), "x = −0.25 z + 4")
})

test("numbers of a link stay within the picture, or not far from it", () => {
  const lab = { now: new WithError(), ranges: [[140, 200], [40, 120]] }
  const allowed = (key, value) => Lab.prototype.allowed.call(lab, key, value)
  assert.deepEqual([allowed("pz", 1e300), allowed("px", -1e300)], [200, 40])
  assert.deepEqual([allowed("y1", 1e300), allowed("y2", -1e300), allowed("y1", 130)], [200, -40, 130])
})

test("the line follows the fit to the points of the slider", () => {
  const view = new WithError(), points = adults.filter((p) => p[2] === 0), ranges = [[140, 200], [40, 120]]
  const few = view.defaults({ points, ranges, kept: { error: { n: 25 } } }), fit = polynomial.fitPolynomial(points.slice(0, 25), 1)
  near([few.y1, few.y2], [148.4, 191.6].map((z) => polynomial.predict(fit, z)), 1e-2)
  assert.ok(Math.abs(few.y1 - view.defaults({ points, ranges, kept: {} }).y1) > 0.1)
})

test("few points carry few degrees", () => {
  assert.equal(polynomial.highestDegree([[0, 1], [0, 2], [1, 1], [2, 4]]), 1)
  assert.equal(polynomial.highestDegree(adults), 15)
})

test("a higher degree never finds its own points less likely, and in the end new ones much less", () => {
  const found = scores(adults.slice(0, 40), adults.slice(40, 440))
  found.slice(1).forEach(({ train }, d) => assert.ok(train > found[d].train - 1e-9))
  assert.ok(found[1].held > found[0].held && found[1].held > found.at(-1).held + 1)
})

test("points that a model generates have its mean and its error", () => {
  const model = polynomial.fitPolynomial(adults, 1), fake = generated(model, adults, 5, true)
  const off = fake.map(([z, x]) => x - polynomial.predict(model, z)), n = off.length
  const mean = off.reduce((a, b) => a + b, 0) / n
  assert.ok(Math.abs(mean) < (4 * model.sigma) / Math.sqrt(n))
  near(Math.sqrt(off.reduce((a, b) => a + b * b, 0) / n), model.sigma, 0.1)
  for (const [z, x] of generated(model, adults, 5, false)) near(x, polynomial.predict(model, z))
  assert.deepEqual(generated(model, adults, 5, true), fake)
})

test("each of the three lines is best for its own errors", () => {
  const points = [[-1.5, -0.5], [-0.4, -1.3], [0.2, 1.2], [1.7, 0.6]].flatMap(([u, v]) => [[u, v], [-u, -v]])
  const size = Math.sqrt(points.reduce((sum, p) => sum + p[0] ** 2, 0) / points.length)
  const tall = Math.sqrt(points.reduce((sum, p) => sum + p[1] ** 2, 0) / points.length)
  const standard = points.map(([u, v]) => [u / size, v / tall])
  const r = standard.reduce((sum, [u, v]) => sum + u * v, 0) / standard.length
  for (const { slope, foot } of Object.values(LINES)) {
    const error = (s) => standard.reduce((sum, [u, v]) => { const [a, b] = foot(u, v, s); return sum + (u - a) ** 2 + (v - b) ** 2 }, 0)
    const best = error(slope(r))
    for (const by of [0.95, 1.05]) assert.ok(error(slope(r) * by) > best)
  }
  assert.ok(r > 0 && r < 1)
})
