// Two classes: p(x, y) generates people; Bayes' rule makes a classifier of it; logistic regression next to it.
import { classColour, readable, readableExp, rgb } from "../shared/chart.js"
import { Chance } from "../shared/chance.js"
import { atLeast, fitGaussian, floorOf, logDensity, sample } from "../shared/gaussian.js"
import { clamp } from "../shared/hand.js"
import { escaped } from "../shared/panel.js"
import { accuracy, fitClasses, logOdds, logistic, logisticRegression } from "./classes.js"

const GRID = [96, 72], MOST = 500, FEWEST = 3
const rounded = (x) => Number(x.toPrecision(5))
const percent = (p) => `${(100 * p).toFixed(1)}%`

/** Pairs (x, y) from p(x, y): the class first, then its Gaussian. */
const pairs = (model, count) => {
  const chance = new Chance(5)
  return Array.from({ length: count }, () => {
    const c = chance.pick([1 - model.prior, model.prior])
    return [...sample(model.parts[c], chance), c]
  })
}

/** Lines where a function on a grid crosses zero: [[x, y], [x, y]] in the frame's units. */
const contour = (plane, odds) => {
  const [w, h] = GRID, at = (i, n, [low, high]) => low + ((high - low) * i) / (n - 1)
  const value = Array.from({ length: h }, (_, j) => Array.from({ length: w }, (_, i) => odds(at(i, w, plane.xs), at(j, h, plane.ys))))
  const lines = []
  for (let j = 0; j + 1 < h; j++) {
    for (let i = 0; i + 1 < w; i++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], cuts = []
      corners.forEach(([a, b], k) => {
        const [c, d] = corners[(k + 1) % 4], u = value[b][a], v = value[d][c]
        if (u > 0 !== v > 0) { const t = u / (u - v); cuts.push([a + t * (c - a), b + t * (d - b)]) }
      })
      for (let k = 0; k + 1 < cuts.length; k += 2) {
        lines.push([cuts[k], cuts[k + 1]].map(([x, y]) => [at(x, w, plane.xs), at(y, h, plane.ys)]))
      }
    }
  }
  return { value, lines }
}

/** The view "Two classes". */
export class TwoClasses {
  title = "Two classes"
  tellsClassesApart = true
  keys = ["prior", "shared", "sx", "sy", "drawn", "line"]
  bounds = { drawn: [0, MOST, 1], sx: (lab) => lab.ranges[0], sy: (lab) => lab.ranges[1] }
  panel = [
    { kind: "numbers", html: (lab) => this.report(lab) },
    { kind: "buttons", list: [
      { title: "Sample a pair", main: true, help: "First a class y, then x from its Gaussian",
        act: (lab) => lab.set({ drawn: Math.min(MOST, lab.state.drawn + 1) }) },
      { title: "100 pairs", act: (lab) => lab.set({ drawn: Math.min(MOST, lab.state.drawn + 100) }) },
      { title: "Clear samples", act: (lab) => lab.set({ drawn: 0 }) },
    ] },
    { kind: "slider", key: "prior", label: "p(y): share of the second class", range: () => [0.01, 0.99, 0.01],
      show: (v, lab) => `${lab.classNames[1]} ${Math.round(100 * v)}%`,
      help: "What you believe before you see x. The border moves; logistic regression, which knows no p(y), stays where it is." },
    { kind: "toggle", key: "shared", label: "Same covariance for both: the border is a line" },
    { kind: "toggle", key: "line", label: "Logistic regression (dashed)" },
    { kind: "text", html: `<b>Generative</b>: p(x, y) = p(y) p(x | y). It makes new pairs, and Bayes' rule gives p(y | x).
      <b>Discriminative</b>: logistic regression learns p(y | x) alone. It classifies about as well, but can't
      generate new people. Point at a place or tap it.` },
  ]

  both(lab) { return [0, 1].every((c) => lab.points.filter((p) => p[2] === c).length >= FEWEST) }

  defaults(lab) {
    const share = lab.points.filter((p) => p[2] === 1).length / lab.points.length
    const middle = [0, 1].map((a) => lab.points.reduce((sum, p) => sum + p[a], 0) / lab.points.length)
    return {
      prior: Number(clamp(share, 0.01, 0.99).toFixed(2)), shared: false, line: true,
      sx: rounded(middle[0] + 0.02 * middle[0]), sy: rounded(middle[1]), drawn: 0,
    }
  }

  enter(lab) {
    if (!this.both(lab)) return
    this.logistic = logisticRegression(lab.points)
    const floor = floorOf(fitGaussian(lab.points).cov)
    this.fits = [false, true].map((shared) => {
      const fit = fitClasses(lab.points, shared)
      for (const part of fit.parts) part.cov = atLeast(part.cov, floor)
      return fit
    })
  }

  model(lab) { return { ...this.fits[lab.state.shared ? 1 : 0], prior: lab.state.prior } }
  lineOdds(x, y) { return this.logistic.bias + this.logistic.weights[0] * x + this.logistic.weights[1] * y }

  report(lab) {
    if (!this.both(lab)) return "<p>This view needs both classes, at least three points of each.</p>"
    const model = this.model(lab), { sx, sy } = lab.state, odds = logOdds(model, sx, sy), p = logistic(odds)
    const joint = [1 - model.prior, model.prior].map((prior, c) =>
      readableExp(Math.log(prior) + logDensity(model.parts[c], sx, sy)))
    const names = lab.classNames.map(escaped), colours = [0, 1].map((c) => classColour(lab.theme, c))
    const bar = (name, share, colour) => `<span>${name}</span><span class="bar" style="width:${100 * share}%;background:${colour}"></span><b>${percent(share)}</b>`
    return `<p>At (${readable(sx)}, ${readable(sy)}):</p>
      <div class="bars posterior">${bar(`p(${names[0]} | x)`, 1 - p, colours[0])}${bar(`p(${names[1]} | x)`, p, colours[1])}</div>
      <p class="formula">p(${names[1]} | x) = ${joint[1]} / (${joint[0]} + ${joint[1]})</p>
      <p>Logistic regression: p(${names[1]} | x) = <b class="logistic">${percent(logistic(this.lineOdds(sx, sy)))}</b></p>
      <p>Accuracy on these points: Bayes' rule <b class="bayes">${percent(accuracy((x, y) => logOdds(model, x, y), lab.points))}</b>,
        logistic regression <b>${percent(accuracy((x, y) => this.lineOdds(x, y), lab.points))}</b>${this.logistic.separable ? " (a line separates them)" : ""}.</p>
      ${this.lastPair(lab, model, names)}`
  }

  lastPair(lab, model, names) {
    if (!lab.state.drawn) return ""
    const [x, y, c] = pairs(model, lab.state.drawn).at(-1)
    return `<p>Pair ${lab.state.drawn}: y = <b>${names[c]}</b>, then x = <b>(${x.toFixed(1)}, ${y.toFixed(1)})</b>.</p>`
  }

  handles() { return [] } // the place follows the pointer anyway, and a click adds a point

  hover(lab, px, py) {
    lab.set({ sx: rounded(clamp(lab.plane.x(px), ...lab.plane.xs)), sy: rounded(clamp(lab.plane.y(py), ...lab.plane.ys)) })
  }

  arrow(lab, right, down) {
    const { sx, sy } = lab.state, [xs, ys] = lab.ranges
    lab.set({ sx: rounded(clamp(sx + (right * (xs[1] - xs[0])) / 150, ...xs)), sy: rounded(clamp(sy - (down * (ys[1] - ys[0])) / 150, ...ys)) })
  }

  step() { return false }

  paint(lab, plane, value) {
    const [w, h] = GRID, { theme } = lab, colours = [0, 1].map((c) => rgb(classColour(theme, c)))
    this.cells ??= Object.assign(document.createElement("canvas"), { width: w, height: h })
    const pen = this.cells.getContext("2d"), image = pen.createImageData(w, h)
    for (let j = 0; j < h; j++) {
      for (let i = 0; i < w; i++) {
        const p = logistic(value[j][i]), at = 4 * ((h - 1 - j) * w + i)
        image.data.set([...colours[p > 0.5 ? 1 : 0], 170 * Math.abs(p - 0.5)], at)
      }
    }
    pen.putImageData(image, 0, 0)
    plane.pen.imageSmoothingEnabled = true
    plane.pen.drawImage(this.cells, plane.left, plane.top, plane.right - plane.left, plane.bottom - plane.top)
  }

  draw(lab, pen, width, height) {
    const plane = lab.plane = lab.whole(pen, width, height), { theme } = lab, radius = lab.points.length > 300 ? 2.5 : 4
    if (!this.both(lab)) {
      plane.dots(lab.points, (p) => classColour(theme, p[2]), radius)
      return plane.axes(...lab.axisNames)
    }
    const model = this.model(lab), { value, lines } = contour(plane, (x, y) => logOdds(model, x, y))
    plane.within(() => {
      this.paint(lab, plane, value)
      plane.dots(lab.points, (p) => classColour(theme, p[2]), radius, 0.6)
      model.parts.forEach((g, c) => [1, 2].forEach((r) => plane.ellipse(g, r, { stroke: classColour(theme, c), width: 2.5 })))
      for (const line of lines) plane.path(line, { stroke: theme.text, width: 3 })
      const [wx, wy] = this.logistic.weights
      const [a, b] = plane.ys.map((y) => [(-this.logistic.bias - wy * y) / wx, y])
      if (lab.state.line) plane.path([a, b], { stroke: theme.text, width: 2.5, dash: [9, 6] })
      for (const pair of pairs(model, lab.state.drawn)) this.star(plane, pair)
    })
    lab.classNames.forEach((name, c) => plane.label(name, plane.px(model.parts[c].mean[0]), plane.py(model.parts[c].mean[1]), "center", classColour(theme, c)))
    plane.handle([plane.px(lab.state.sx), plane.py(lab.state.sy)], theme.text, false)
    plane.axes(...lab.axisNames)
  }

  star(plane, [x, y, c]) {
    const { pen, theme } = plane, px = plane.px(x), py = plane.py(y)
    Object.assign(pen, { fillStyle: classColour(theme, c), strokeStyle: theme.text, lineWidth: 1.5 })
    pen.beginPath()
    for (const [dx, dy] of [[0, -7], [7, 0], [0, 7], [-7, 0]]) pen.lineTo(px + dx, py + dy)
    pen.closePath()
    pen.fill()
    pen.stroke()
  }
}
