// The numbers of the page on Gaussians against numpy, SciPy and scikit-learn.
import assert from "node:assert/strict"
import { test } from "node:test"
import * as classes from "../../genlib/web/gaussians/classes.js"
import { agreement, Mixed } from "../../genlib/web/gaussians/mixed.js"
import * as mixture from "../../genlib/web/gaussians/mixture.js"
import { One } from "../../genlib/web/gaussians/one.js"
import { bestOf } from "../../genlib/web/gaussians/two.js"
import { TwoClasses } from "../../genlib/web/gaussians/two_classes.js"
import { Chance } from "../../genlib/web/shared/chance.js"
import { readFile, readPoints, writePoints } from "../../genlib/web/shared/csv.js"
import * as gaussian from "../../genlib/web/shared/gaussian.js"
import { Lab, unpackPoints } from "../../genlib/web/shared/lab.js"
import * as normal from "../../genlib/web/shared/normal.js"
import { given } from "./given.mjs"
import { near } from "./near.mjs"

const { adults, oneDimension, plane, classes: two, mixture: em } = given.statistics

test("density, distribution function and Student's t are SciPy's", () => {
  near(oneDimension.x.map((x) => normal.pdf(x, 1.5, 2)), oneDimension.pdf, 1e-13)
  near(oneDimension.x.map((x) => normal.cdf(x, 1.5, 2)), oneDimension.cdf, 1e-13)
  for (const [t, n, share] of oneDimension.t) near(normal.withinT(t, n), share, 1e-12)
  for (const [share, n, t] of oneDimension.quantile) near(normal.quantileT(share, n), t)
  assert.deepEqual([normal.cdf(-99), normal.cdf(99)], [0, 1])
})

test("one Gaussian is fitted as numpy fits it", () => {
  const heights = adults.map((p) => p[0]), { mu, sigma } = normal.fitNormal(heights)
  near([mu, sigma], oneDimension.fit)
  near(normal.meanLog(heights, mu, sigma), oneDimension.meanLog)
})

test("in the plane: fit, density, correlation, conditional, axes", () => {
  const g = gaussian.fitGaussian(adults)
  near(g.mean, plane.mean)
  near(g.cov, plane.cov)
  near(plane.places.map(([x, y]) => gaussian.logDensity(g, x, y)), plane.logDensity)
  near(gaussian.meanLogDensity(g, adults), plane.meanLog)
  near(gaussian.correlation(g), plane.correlation)
  const [at, mu, sigma] = plane.conditional, found = gaussian.conditional(g, at)
  near([found.mu, found.sigma], [mu, sigma])
  const { angle, major, minor } = gaussian.axesOf(g.cov)
  near([major, minor], plane.axes)
  near([Math.cos(angle), Math.sin(angle)], plane.direction)
  near(gaussian.fromAxes(angle, major, minor), plane.cov)
})

test("what a diagonal covariance costs is -1/2 log(1 - rho^2), either way round", () => {
  const g = gaussian.fitGaussian(adults), cost = -0.5 * Math.log(1 - gaussian.correlation(g) ** 2)
  near(gaussian.meanLogDensity(gaussian.diagonal(g), adults), plane.diagonalLog)
  near(plane.meanLog - plane.diagonalLog, cost)
  const q = gaussian.diagonalQ(g)
  near([q.cov[0], q.cov[2]], plane.q)
  near(gaussian.divergence(q, g), cost)
  near(gaussian.divergence(g, gaussian.diagonal(g)), cost)
  near(gaussian.divergence(g, plane.other), plane.kl)
  for (const by of [0.9, 1.1]) { // no other diagonal q is closer
    assert.ok(gaussian.divergence({ ...q, cov: [q.cov[0] * by, 0, q.cov[2]] }, g) > cost)
  }
})

test("samples have the Gaussian's mean and covariance", () => {
  const g = { mean: [2, -1], cov: [4, 1.5, 1] }, chance = new Chance(3)
  const found = gaussian.fitGaussian(Array.from({ length: 50_000 }, () => gaussian.sample(g, chance)))
  near(found.mean, g.mean, 0.05)
  near(found.cov, g.cov, 0.05)
})

test("a covariance is kept from collapsing", () => {
  near(gaussian.atLeast([4, 0, 1], [0.5, 0.5]), [4, 0, 1])
  const line = gaussian.atLeast([1, 1, 1], [0.01, 0.01])
  near(gaussian.axesOf(line).minor, 0.1)
  near(gaussian.atLeast([1e4, 100, 1], [100, 0.01]), [1e4 * line[0], 100 * line[1], line[2]]) // in other units
  near(gaussian.atLeast([0, 0, 0], [4, 9]), [4, 0, 9])
})

test("Bayes' rule and logistic regression are scikit-learn's and SciPy's", () => {
  for (const [shared, odds] of [[false, two.odds], [true, two.sharedOdds]]) {
    const model = classes.fitClasses(adults, shared)
    near(model.prior, two.prior)
    near(two.places.map(([x, y]) => classes.logOdds(model, x, y)), odds)
  }
  const bayes = classes.fitClasses(adults, false)
  near(classes.accuracy((x, y) => classes.logOdds(bayes, x, y), adults), two.accuracy)
  const line = classes.logisticRegression(adults)
  near([line.bias, ...line.weights], [two.bias, ...two.weights], 1e-4)
  const odds = (x, y) => line.bias + line.weights[0] * x + line.weights[1] * y
  near(classes.accuracy(odds, adults), two.logisticAccuracy)
  assert.equal(line.separable, false)
})

test("classes that a line separates are noticed, and the line still separates them", () => {
  const apart = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 1], [6, 5, 1], [5, 6, 1]]
  const { bias, weights, separable } = classes.logisticRegression(apart)
  assert.ok(separable && [bias, ...weights].every(Number.isFinite))
  near(classes.accuracy((x, y) => bias + weights[0] * x + weights[1] * y, apart), 1)
})

test("a step of EM is scikit-learn's", () => {
  near(gaussian.floorOf(plane.cov), em.floor)
  for (const { steps, means, covs, shares, logLikelihood } of em.runs) {
    let parts = em.means.map((mean) => ({ mean, cov: em.cov, share: 1 / 3 }))
    for (let i = 0; i < steps; i++) {
      parts = mixture.maximise(parts, adults, mixture.expect(parts, adults).shares, em.floor)
    }
    near(parts.map((p) => p.mean), means, 1e-7)
    near(parts.map((p) => p.cov), covs, 1e-6)
    near(parts.map((p) => p.share), shares, 1e-7)
    near(mixture.expect(parts, adults).logLikelihood, logLikelihood, 1e-8)
  }
})

test("EM never lowers the likelihood, with few points or many, in a cloud, on a line or on a few spots", () => {
  const chance = new Chance(1), clicked = Array.from({ length: 30 }, () => [chance.uniform(), chance.uniform()])
  const data = {
    many: adults.slice(0, 250), some: adults.slice(0, 60), few: adults.slice(0, 5), clicked,
    flat: adults.slice(0, 40).map(([x]) => [x, 2 * x]),
    spots: adults.slice(0, 40).map(([x, y]) => [Math.round(x / 15), Math.round(y / 25)]),
    income: adults.slice(0, 40).map(([x, y]) => [1e6 * x, y / 1e3]),
  }
  for (const [name, points] of Object.entries(data)) {
    for (let start = 1; start < 99; start += 12) {
      for (const count of [1, 2, 3, 4]) {
        const fit = new mixture.Mixture(points, count, start)
        while (fit.half < 120) fit.advance()
        assert.equal(fit.history.length, 60)
        fit.history.slice(1).forEach((l, i) => assert.ok(l > fit.history[i] - 1e-9,
          `${name}, ${count} parts, start ${start}, step ${i + 1}: from ${fit.history[i]} to ${l}`))
      }
    }
  }
})

const inMetres = (points) => points.map(([x, y, c]) => [x / 100, y, c])

test("a mixture of heights in metres is that of heights in cm", () => {
  const found = [adults, inMetres(adults)].map((points) => {
    const fit = new mixture.Mixture(points, 2, 14)
    while (fit.half < 240) fit.advance()
    return { fit, points, shares: fit.parts.map((p) => p.share), agrees: agreement(fit.shares, points) }
  })
  const [cm, m] = found
  near(m.shares, cm.shares)
  near(m.agrees, cm.agrees)
  near(m.fit.history.map((l) => l - Math.log(100)), cm.fit.history)
  for (const { fit, points } of found) assert.ok(fit.history.at(-1) > gaussian.meanLogDensity(bestOf(points), points))
})

test("a mixture of one part is the fitted Gaussian, of points on a line too", () => {
  for (const points of [adults, inMetres(adults), adults.slice(0, 9).map(([x]) => [x, 1e4 * x])]) {
    const fit = new mixture.Mixture(points, 1, 1)
    while (fit.half < 4) fit.advance()
    near(fit.history.at(-1), gaussian.meanLogDensity(bestOf(points), points))
  }
})

test("Bayes' rule sorts people by income and age, whatever the units are", () => {
  const chance = new Chance(2), income = Array.from({ length: 200 }, (_, i) => // both classes earn the same
    [50_000 + 10_000 * chance.normal(), (i % 2 ? 20 : 60) + chance.normal(), i % 2])
  const lab = { classNames: ["A", "B"], theme: { classes: ["#000", "#111", "#222"] } }
  const sorted = (points) => [false, true].map((shared) => {
    const view = new TwoClasses(), state = { prior: 0.5, shared, drawn: 0, sx: points[0][0], sy: points[0][1] }
    view.enter({ points })
    return view.report({ ...lab, points, state }).match(/class="bayes">([^<]+)/)[1]
  })
  assert.deepEqual(sorted(income), ["100.0%", "100.0%"])
  assert.deepEqual(sorted(inMetres(adults)), sorted(adults))
  // a class whose points all share one x
  const line = [[0, 1], [0, 2], [0, 3], [1, 1], [2, 2], [3, 1]].map(([x, y], i) => [x, y, i < 3 ? 0 : 1])
  assert.deepEqual(sorted(line.map(([x, y, c]) => [1e6 * x, y / 1e3, c])), sorted(line))
})

test("a part without points is kept and does no harm", () => {
  const points = [[0, 0], [1, 1], [2, 0], [1, 2]]
  const parts = [[1, 1], [1e6, 1e6]].map((mean) => ({ mean, cov: [1, 0, 1], share: 0.5 }))
  const { shares } = mixture.expect(parts, points)
  const moved = mixture.maximise(parts, points, shares, [0.01, 0.01])
  assert.deepEqual(moved[1].mean, [1e6, 1e6])
  assert.ok(Number.isFinite(mixture.expect(moved, points).logLikelihood))
})

test("a CSV may have a heading, other separators and decimal commas", () => {
  assert.deepEqual(readPoints("height,weight\n170, 65\n180,80\n160,50\n"),
    { points: [[170, 65], [180, 80], [160, 50]], names: ["height", "weight"] })
  assert.deepEqual(readPoints("1,5;2\r\n2,5;3\r\n3;4").points, [[1.5, 2], [2.5, 3], [3, 4]])
  assert.deepEqual(readPoints("1\t2\n3\t4\n5 6").points, [[1, 2], [3, 4], [5, 6]])
})

test("a CSV that is saved with its classes is read again, and a third class is refused", () => {
  const points = [[170, 65, 0], [180.5, 80, 1], [160, 50, 0]], text = writePoints(points, ["height, cm", "weight, kg"], ["women", "men"])
  assert.equal(text, "height_cm,weight_kg,class\n170,65,women\n180.5,80,men\n160,50,women\n")
  assert.deepEqual(readPoints(text, true), { points, names: ["height_cm", "weight_kg"] })
  assert.throws(() => readPoints(text), /has 3 columns/)
  assert.throws(() => readPoints(`${text}1,2,children\n`, true), { message: "Line 5 of the file has a third class, “children”; there may be two." })
  assert.equal(writePoints([[1, 2]], ["x", "y"]), "x,y\n1,2\n")
})

test("a bad CSV gets one sentence that names the line", () => {
  assert.throws(() => readPoints("a,b\n1,2\n3,oops\n"), { message: "Line 3 of the file isn't two numbers: “3,oops”. Each line needs two numbers, such as “170, 65”." })
  assert.throws(() => readPoints("1,2,3"), /^Error: Line 1 of the file has 3 columns; it needs two\. Each line/)
  assert.throws(() => readPoints("1,5 2,5"), /has 4 columns/) // not 1 and 5
  for (const empty of ["", "\n \n"]) assert.throws(() => readPoints(empty), /The file is empty\. Each line needs two numbers/)
  assert.throws(() => readPoints("height,weight\n"), /has a heading and no points\. Each line needs two numbers/)
  assert.throws(() => readPoints("hello world\nfoo bar"), /Line 2 of the file isn't two numbers: “foo bar”\. Each line/)
  assert.throws(() => readPoints("1,2"), /holds 1 point; at least 3/)
  assert.throws(() => readPoints("1,2\n3,4"), /holds 2 points; at least 3/)
  assert.throws(() => readPoints("1,2\n1,3\n1,4"), /column 1 are equal/)
  assert.throws(() => readPoints("1,1\n1.00000000001,2\n1.00000000002,3"), /column 1 are equal, or nearly so/)
  assert.throws(() => readPoints("\x89PNG\r\n\x1a"), /Line 1 of the file has 1 column; it needs two/)
  assert.throws(() => readPoints("1,2\n".repeat(5001)), /more than 5000/)
})

test("a file that is too large is refused before it is read", async () => {
  const huge = { size: 2e6 + 1, text: () => assert.fail("it was read") }
  await assert.rejects(readFile(huge), { message: "The file is larger than 2 MB. Shorten it." })
  assert.deepEqual((await readFile(new Blob(["1,2\n3,4\n5,7"]))).points, [[1, 2], [3, 4], [5, 7]])
})

test("hostile cells are refused with their line, or are no more than names", () => {
  for (const cell of ["Infinity", "1e999", "=1+1", "0/0", "\u0000"]) {
    assert.throws(() => readPoints(`1,2\n3,4\n${cell},5`), /^Error: Line 3 of the file isn't two numbers/, cell)
  }
  assert.throws(() => readPoints("1e308,2\n3,4\n5,6"), /^Error: Line 1 of the file has a number beyond ±1,000,000,000/)
  assert.throws(() => readPoints(`a,b\n"1\n2",3`), /^Error: Line 2 of the file has 1 column/) // a quoted line break
  assert.throws(() => readPoints("1,2\n3\n4,5"), /^Error: Line 2 of the file has 1 column/)
  const long = " ".repeat(1e6)
  assert.throws(() => readPoints(`1${long}2${long}3`), /^Error: Line 1 of the file has 3 columns/)
  const { names } = readPoints("=HYPERLINK(1|2),<b>x</b>\n1,2\n2,3\n3,5")
  assert.deepEqual(names, ["=HYPERLINK(1 2)", "<b>x</b>"]) // shown as text
})

test("numbers that no sum of squares can hold are refused, with their line", () => {
  assert.throws(() => readPoints("1,2\n2,1e300\n3,4\n1e308,5"), /Line 2 of the file has a number beyond ±1,000,000,000: “2,1e300”/)
  assert.equal(readPoints("1,2\n-1e9,1e9\n3,4").points.length, 3)
  assert.deepEqual(unpackPoints("1,2;1e300,3;4,-1e10;5,6"), [[1, 2, 0], [5, 6, 0]])
})

test("a distribution function of nothing ends", () => {
  assert.ok(Number.isNaN(normal.cdf(NaN)) && Number.isNaN(normal.cdf(1, 1, 0)))
})

test("numbers of a link stay within the picture", () => {
  const lab = { now: new TwoClasses(), ranges: [[140, 200], [40, 120]], state: { axis: "y" } }
  const allowed = (key, value) => Lab.prototype.allowed.call(lab, key, value)
  assert.deepEqual([allowed("sx", 1e9), allowed("sy", -1e9), allowed("sy", 50)], [200, 40, 50])
  lab.now = new One()
  assert.deepEqual([allowed("from", -1e300), allowed("to", 1e300)], [40, 120])
})

test("Bayes' rule is written with digits where densities are too small for a double", () => {
  const points = [0, 1].flatMap((c) => [[0, 0], [1, 0], [0, 1], [1, 1]].map(([x, y]) => [500 * c + x, y, c]))
  const view = new TwoClasses(), lab = { points, classNames: ["A", "B"], theme: { classes: ["#000", "#111", "#222"] } }
  lab.state = { prior: 0.5, shared: false, drawn: 0, sx: 250, sy: 0 }
  view.enter(lab)
  const [, top, left, right] = view.report(lab).match(/\| x\) = (\S+) \/ \((\S+) \+ (\S+)\)/)
  assert.equal(top, right)
  for (const one of [left, right]) assert.match(one, /^\d(\.\d)?·10\^−\d{4,6}$/)
})

test("the lesson on mixtures: the state of its link sorts 84% of the people", () => {
  const { start } = new Mixed().defaults(), half = Number(given.statistics.mixtureLesson["gaussians.half"])
  const fit = new mixture.Mixture(adults, 2, start)
  while (fit.half < half) fit.advance()
  assert.ok(fit.settled)
  assert.equal(agreement(fit.shares, adults).toFixed(2), "0.84")
  assert.equal((fit.history.at(-1) - plane.meanLog).toFixed(3), "0.015")
})
