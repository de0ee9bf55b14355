// Polynomials against numpy's least squares.
import assert from "node:assert/strict"
import { test } from "node:test"
import { Compare, scores } from "../../genlib/web/linear_regression/compare.js"
import { fitted, heldOut, lineText } from "../../genlib/web/linear_regression/common.js"
import { halfWidth, WithError } from "../../genlib/web/linear_regression/error.js"
import { generated } from "../../genlib/web/linear_regression/generate.js"
import { LINES } from "../../genlib/web/linear_regression/limit.js"
import * as polynomial from "../../genlib/web/linear_regression/polynomial.js"
import { Line } from "../../genlib/web/linear_regression/line.js"
import { Chance } from "../../genlib/web/shared/chance.js"
import { readPoints, writePoints } from "../../genlib/web/shared/csv.js"
import { Lab, packPoints, unpackPoints } from "../../genlib/web/shared/lab.js"
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

// x = 2 + 0.4 z + 2 sin z + error, from left to right
const curve = (count) => {
  const chance = new Chance(3), zs = Array.from({ length: count }, () => 10 * chance.uniform()).sort((a, b) => a - b)
  return zs.map((z) => [z, 2 + 0.4 * z + 2 * Math.sin(z) + 0.8 * chance.normal()].map((v) => Number(v.toFixed(2))))
}
const own = (points, n = 40) => ({ data: "own", points, state: { n } })
const mixed = (points, seed) => {
  const chance = new Chance(seed)
  return points.map((p) => [chance.uniform(), p]).sort((a, b) => a[0] - b[0]).map(([, p]) => p)
}
const between = (value, many) => assert.ok(value >= Math.min(...many) && value <= Math.max(...many), `${value}, not among ${many}`)

test("a sorted file of one's own is split like points in random order", () => {
  const { points } = readPoints(writePoints(curve(300), ["z", "x"])), view = new Compare(), lab = own(points)
  const found = view.all(lab), best = view.best(lab), line = found[1]
  const random = Array.from({ length: 40 }, (_, seed) => {
    const order = mixed(points, seed + 1), all = scores(order.slice(0, 40), order.slice(40)), held = all.map((one) => one.held)
    return { line: all[1], held: Math.max(...held), best: held.indexOf(Math.max(...held)) }
  })
  between(best, random.map((one) => one.best))
  between(found[best].held, random.map((one) => one.held))
  for (const key of ["train", "held"]) between(line[key], random.map((one) => one.line[key]))
  assert.deepEqual([fitted(lab).length, heldOut(lab).length], [40, 260])
  assert.deepEqual([...fitted(lab), ...heldOut(lab)].sort((a, b) => a[0] - b[0] || a[1] - b[1]),
    [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]))
  // the lines that the views start with belong to the points of the fit, too
  const fresh = { data: "own", points, ranges: [[0, 10], [0, 8]], kept: {} }, { y1 } = new Line().defaults(fresh)
  near(y1, fitted(lab).reduce((sum, p) => sum + p[1], 0) / 40, 1e-4)
  near(new WithError().defaults(fresh).y1, polynomial.predict(line.model, 1.4), 1e-4)
})

test("a link and a saved file give own points the same split, whatever their order", () => {
  const points = curve(100).map(([z, x]) => [1000 + z / 3, x / 7, 0]), split = fitted(own(points))
  const linked = unpackPoints(packPoints(points)), short = (list) => list.map((p) => packPoints([p]))
  assert.deepEqual(short(fitted(own(linked))), short(split))
  assert.deepEqual(fitted(own(readPoints(writePoints(points, ["z", "x"])).points)), split.map(([z, x]) => [z, x]))
  assert.deepEqual(short(fitted(own(mixed(linked, 9)))), short(split))
})

test("another own point moves no earlier one past another, and equal points are apart", () => {
  const points = curve(60), order = (list) => fitted(own(list, list.length))
  assert.notDeepEqual(order(points), points)
  for (const one of [[-3, 1], [5, 5], [12, 3], points[7]]) {
    const more = order([...points, one]), left = new Set(points)
    assert.equal(more.length, 61)
    assert.deepEqual(more.filter((p) => left.has(p) && (p !== one)), order(points).filter((p) => p !== one))
  }
  assert.deepEqual(order(points.slice(1)), order(points).filter((p) => p !== points[0])) // one was removed
  const spots = Array.from({ length: 60 }, (_, i) => [i % 3, i % 2]), first = order(spots).slice(0, 30)
  for (let i = 0; i < 6; i++) { // ten copies of each: some are in the fit, some aren't
    const copies = first.filter(([z, x]) => z === i % 3 && x === i % 2).length
    assert.ok(copies > 0 && copies < 10, `${copies} of 10`)
  }
})

test("the app's own data keep their order, which is random already", () => {
  assert.deepEqual(fitted({ data: "women", points: adults, state: { n: 25 } }), adults.slice(0, 25))
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
