// Two dimensions: an ellipse that is dragged, turned and stretched; the slice p(y | x) at the pointer.
import { decimals, readable } from "../shared/chart.js"
import { Chance } from "../shared/chance.js"
import {
  atLeast, axesOf, conditional, correlation, covariance, fitGaussian, floorOf, fromAxes, meanLogDensity, sample,
} from "../shared/gaussian.js"
import { clamp } from "../shared/hand.js"
import { pdf } from "../shared/normal.js"
import { nameAndUnit } from "../shared/panel.js"

const AT = 2 // standard deviations at which the handles sit
const LEAST = 4 // pixels of the shorter half axis
const MOST = 2000 // samples
const CURVE = 90 // pixels that a curve at the edge takes
const rounded = (x) => Number(x.toPrecision(5))

/** The Gaussian of a state: {mx, my, sx, sy, rho}. */
const ofState = ({ mx, my, sx, sy, rho }) => ({ mean: [mx, my], cov: covariance(sx, sy, rho) })

/** The state of a Gaussian, with rho inside of [-0.99, 0.99]. */
export const toState = (g) => ({
  mx: rounded(g.mean[0]), my: rounded(g.mean[1]), sx: rounded(Math.sqrt(g.cov[0])), sy: rounded(Math.sqrt(g.cov[2])),
  rho: Number(clamp(correlation(g), -0.99, 0.99).toFixed(3)),
})

/** The most likely Gaussian of points, never as thin as a line. */
export const bestOf = (points) => {
  const g = fitGaussian(points)
  return { ...g, cov: atLeast(g.cov, floorOf(g.cov)) }
}

// The same covariance in pixels, where axes can be seen to be at right angles.
const toPixels = ({ perX, perY }, [xx, xy, yy]) => [xx * perX ** 2, -xy * perX * perY, yy * perY ** 2]
const toData = ({ perX, perY }, [xx, xy, yy]) => [xx / perX ** 2, -xy / perX / perY, yy / perY ** 2]

const scale = (key, label, axis, mean) => ({
  kind: "slider", key, label: (lab) => `${label}, ${lab.axisNames[axis]}`, show: (v) => readable(v),
  range: (lab) => {
    const [low, high] = lab.ranges[axis], wide = high - low
    return mean ? [rounded(low), rounded(high), rounded(wide / 500)] : [rounded(wide / 200), rounded(wide / 3), rounded(wide / 1000)]
  },
})

const report = (lab) => {
  const g = ofState(lab.state), best = bestOf(lab.points), [xx, xy, yy] = g.cov.map((v) => readable(v, 3))
  const slice = conditional(g, lab.state.slice)
  const [[x, inX], [y, inY]] = lab.axisNames.map(nameAndUnit)
  return `<p class="formula">μ = (${readable(g.mean[0])}, ${readable(g.mean[1])}), Σ = (${xx}, ${xy}; ${xy}, ${yy}), ρ = ${lab.state.rho.toFixed(2).replace("-", "−")}</p>
    <p>Log-likelihood per point: <b class="here">${decimals(meanLogDensity(g, lab.points))}</b> nats, at most
      <b class="most">${decimals(meanLogDensity(best, lab.points))}</b>.</p>
    <p>If ${x} is ${readable(lab.state.slice)} ${inX}, ${y} is <b class="slice">${readable(slice.mu)} ± ${readable(slice.sigma, 3)}</b> ${inY}.
      Without knowing it: ${readable(g.mean[1])} ± ${readable(lab.state.sy, 3)} ${inY}.</p>`
}

const drawEdges = (lab, plane, g) => {
  const { theme } = lab, [sx, sy] = [Math.sqrt(g.cov[0]), Math.sqrt(g.cov[2])]
  const { xs, ys } = plane, up = (ys[1] - ys[0]) * (CURVE / (plane.bottom - plane.top)), along = (xs[1] - xs[0]) * (CURVE / (plane.right - plane.left))
  plane.curve((x) => ys[0] + up * pdf(x, g.mean[0], sx) * sx * 2, theme.link, { width: 2 })
  const side = Array.from({ length: 121 }, (_, i) => ys[0] + ((ys[1] - ys[0]) * i) / 120)
  plane.path(side.map((y) => [xs[0] + along * pdf(y, g.mean[1], sy) * sy * 2, y]), { stroke: theme.link, width: 2 })
}

const drawSlice = (lab, plane, g) => {
  const { theme } = lab, { slice } = lab.state, { mu, sigma } = conditional(g, slice), [low, high] = plane.ys
  const wide = ((plane.xs[1] - plane.xs[0]) * 150) / (plane.right - plane.left), colour = theme.classes[3]
  const ys = Array.from({ length: 161 }, (_, i) => low + ((high - low) * i) / 160)
  const line = ys.map((y) => [slice + wide * pdf(y, mu, sigma) * sigma * 2, y])
  plane.curve((x) => conditional(g, x).mu, colour, { width: 2, dash: [7, 5] })
  plane.path([[slice, low], [slice, high]], { stroke: colour, width: 2 })
  plane.path([[slice, low], ...line, [slice, high]], { fill: colour, alpha: 0.3, closed: true })
  plane.path(line, { stroke: colour, width: 2 })
  plane.label(`p(${lab.axisNames[1].split(",")[0].trim()} | ${readable(slice)})`, plane.px(slice) + 8, plane.top + 20, "left", colour)
}

/** The view "Two dimensions". */
export class Two {
  title = "Two dimensions"
  keys = ["mx", "my", "sx", "sy", "rho", "slice", "drawn"]
  bounds = { drawn: [0, MOST, 1] }
  shape = null
  panel = [
    { kind: "buttons", list: [
      { title: "Fit", main: true, help: "Move the Gaussian to the maximum of the likelihood",
        act: (lab) => lab.glide(toState(bestOf(lab.points))) },
      { title: "Sample", help: "A hundred people that don't exist",
        act: (lab) => lab.set({ drawn: Math.min(MOST, lab.state.drawn + 100) }) },
      { title: "Clear samples", act: (lab) => lab.set({ drawn: 0 }) },
    ] },
    { kind: "numbers", html: report },
    { kind: "slider", key: "slice", label: (lab) => `Slice at ${lab.axisNames[0]} (or point, or tap)`, show: (v) => readable(v), range: (lab) => {
      const [low, high] = lab.ranges[0]
      return [rounded(low), rounded(high), rounded((high - low) / 400)]
    } },
    scale("mx", "μ", 0, true), scale("my", "μ", 1, true), scale("sx", "σ", 0, false), scale("sy", "σ", 1, false),
    { kind: "slider", key: "rho", label: "ρ, the correlation", range: () => [-0.99, 0.99, 0.01], show: (v) => v.toFixed(2) },
    { kind: "text", html: `Drag the middle to move the Gaussian, the two other handles to turn and stretch it. The
      ellipses hold 39%, 86% and 99% of it. The dashed line joins the means of all slices: it is linear
      regression.` },
  ]

  defaults(lab) {
    const { mx, my, sx, sy } = toState(bestOf(lab.points))
    return {
      mx: rounded(mx - 0.7 * sx), my: rounded(my + 0.5 * sy), sx: rounded(0.7 * sx), sy: rounded(0.7 * sy), rho: 0,
      slice: rounded(mx + sx), drawn: 0,
    }
  }

  handles(lab) {
    const { plane } = lab, g = ofState(lab.state), centre = [plane.px(g.mean[0]), plane.py(g.mean[1])]
    if (lab.held < 1 || !this.shape) this.shape = axesOf(toPixels(plane, g.cov))
    const { angle, major, minor } = this.shape
    const out = (size, turn) => [centre[0] + AT * size * Math.cos(turn), centre[1] + AT * size * Math.sin(turn)]
    const pull = (px, py) => [Math.max(LEAST, Math.hypot(px - centre[0], py - centre[1]) / AT), Math.atan2(py - centre[1], px - centre[0])]
    const move = (px, py) => lab.set({ mx: rounded(clamp(plane.x(px), ...plane.xs)), my: rounded(clamp(plane.y(py), ...plane.ys)) })
    const reshape = (shape) => {
      this.shape = shape
      const { sx, sy, rho } = toState({ ...g, cov: toData(plane, fromAxes(shape.angle, shape.major, shape.minor)) })
      lab.set({ sx, sy, rho })
    }
    return [
      { at: centre, colour: lab.theme.link, to: move },
      { at: out(major, angle), colour: lab.theme.link, to: (px, py) => {
        const [size, turn] = pull(px, py)
        reshape({ angle: turn, major: size, minor: this.shape.minor })
      } },
      { at: out(minor, angle + Math.PI / 2), colour: lab.theme.link, to: (px, py) => {
        const [size, turn] = pull(px, py)
        reshape({ angle: turn - Math.PI / 2, major: this.shape.major, minor: size })
      } },
    ]
  }

  dropped() { this.shape = null }

  hover(lab, px) { lab.set({ slice: rounded(clamp(lab.plane.x(px), ...lab.plane.xs)) }) }

  arrow(lab, right, down, shift) {
    const { mx, my, slice } = lab.state, [xs, ys] = lab.ranges, [dx, dy] = [xs, ys].map(([a, b]) => (b - a) / 200)
    if (shift) lab.set({ slice: rounded(clamp(slice + right * dx, ...xs)) })
    else lab.set({ mx: rounded(clamp(mx + right * dx, ...xs)), my: rounded(clamp(my - down * dy, ...ys)) })
  }

  step() { return false }

  draw(lab, pen, width, height) {
    const plane = lab.plane = lab.whole(pen, width, height), g = ofState(lab.state), { theme } = lab
    const chance = new Chance(3), samples = Array.from({ length: lab.state.drawn }, () => sample(g, chance))
    plane.within(() => {
      plane.dots(lab.points, () => theme.text, ...(lab.points.length > 300 ? [2.5, 0.35] : [4, 0.75]))
      plane.dots(samples, () => theme.classes[1], 3, 0.8)
      for (const r of [1, 2, 3]) plane.ellipse(g, r, { fill: theme.accent, alpha: 0.11 })
      for (const r of [1, 2, 3]) plane.ellipse(g, r, { stroke: theme.link, width: r === 2 ? 3 : 1.5 })
      drawEdges(lab, plane, g)
      drawSlice(lab, plane, g)
    })
    plane.axes(...lab.axisNames)
  }
}
