// A mixture of Gaussians, fitted by EM half a step at a time.
import { classColour, decimals, Frame, readable, rgb } from "../shared/chart.js"
import { meanLogDensity } from "../shared/gaussian.js"
import { escaped } from "../shared/panel.js"
import { Mixture } from "./mixture.js"
import { bestOf } from "./two.js"

const MOST = 240 // half steps
const HALF_S = 0.16 // while playing
const NAMES = ["A", "B", "C", "D"]

/** How well two parts agree with two classes that they were never told, whichever is which.
 * @param {number[][]} shares as `expect` gives them @param {number[][]} points [x, y, class] */
export const agreement = (shares, points) => {
  const same = points.filter((p, i) => (shares[i][1] > 0.5) === (p[2] === 1)).length / points.length
  return Math.max(same, 1 - same)
}

/** The view "Mixture". */
export class Mixed {
  title = "Mixture by EM"
  keys = ["count", "start", "half"]
  bounds = { start: [1, 99, 1] }
  wait = 0
  panel = [
    { kind: "buttons", list: [
      { title: "Step", main: true, help: "E: share the points out. M: move the Gaussians.", act: (lab) => this.forward(lab) },
      { title: "Play", plays: true, act: (lab) => lab.player.toggle() },
      { title: "Back", act: (lab) => lab.set({ half: Math.max(0, lab.state.half - 1) }) },
      { title: "Start again", act: (lab) => { lab.player.stop(); lab.set({ half: 0 }) } },
      { title: "New start", help: "Other random places", act: (lab) => { lab.player.stop(); lab.set({ start: (lab.state.start % 99) + 1, half: 0 }) } },
    ] },
    { kind: "numbers", html: (lab) => this.report(lab) },
    { kind: "slider", key: "count", label: "Gaussians", range: () => [1, 4, 1], show: String },
    { kind: "slider", key: "half", label: "Half steps", range: () => [0, MOST, 1], show: String },
    { kind: "text", html: `<b>E</b>: how likely did each Gaussian make each point? Points take the mixed colour.
      <b>M</b>: each Gaussian becomes the mean and covariance of its points, weighed by that. Neither step ever lowers the
      likelihood. No one told it who is who.` },
  ]

  defaults() { return { count: 2, start: 14, half: 0 } }
  enter() { this.fit = null }

  /** The fit after the half steps of the state, computed again only where it has to be. */
  at(lab) {
    const { count, start, half } = lab.state, key = `${count} ${start}`
    if (!this.fit || this.key !== key || this.fit.points !== lab.points || this.fit.half > half) {
      this.fit = new Mixture(lab.points, count, start)
      this.key = key
    }
    while (this.fit.half < half) this.fit.advance()
    return this.fit
  }

  forward(lab) { lab.set({ half: Math.min(MOST, lab.state.half + 1) }) }

  step(lab, seconds) {
    this.wait += seconds
    if (this.wait < HALF_S) return true
    this.wait = 0
    this.forward(lab)
    return lab.state.half < MOST && !this.at(lab).settled
  }

  report(lab) {
    const fit = this.at(lab), { half, count } = lab.state, last = fit.history.at(-1)
    const [x, y] = lab.axisNames.map(escaped)
    const rows = fit.parts.map((g, k) => `<tr><td><span class="key" style="color:${classColour(lab.theme, k)}"></span>${NAMES[k]}</td>
      <td>${Math.round(100 * g.share)}%</td><td>${readable(g.mean[0])}</td><td>${readable(g.mean[1])}</td></tr>`).join("")
    const told = new Set(lab.points.map((p) => p[2])).size === 2 && count === 2 && fit.shares
    return `<p>${half === 0 ? "At random." : half % 2 ? "<b>E</b> done: every point is shared out." : "<b>M</b> done: the Gaussians moved."}
      Next: <b class="next">${half % 2 ? "M" : "E"}</b>${fit.settled ? ". It no longer changes" : ""}.</p>
      <table><tr><th></th><th>share</th><th>${x}</th><th>${y}</th></tr>${rows}</table>
      <p>Log-likelihood per point: <b class="here">${last === undefined ? "–" : decimals(last)}</b> nats; one Gaussian:
        <b>${decimals(meanLogDensity(bestOf(lab.points), lab.points))}</b>.</p>
      ${told ? `<p>Agrees with the true classes for <b class="agrees">${(100 * agreement(fit.shares, lab.points)).toFixed(0)}%</b>.</p>` : ""}`
  }

  handles() { return [] }

  arrow(lab, right) {
    lab.set({ half: Math.max(0, Math.min(MOST, lab.state.half + right)) })
  }

  drawTrace(lab, fit, pen) {
    if (fit.history.length < 2) return
    const { theme, plane } = lab, low = Math.min(...fit.history), high = Math.max(...fit.history)
    const wide = Math.min(210, (plane.right - plane.left) * 0.4), box = { left: plane.left + 10, right: plane.left + wide, top: plane.top + 28, bottom: plane.top + 88 }
    const inset = new Frame(pen, theme, box, [0, fit.history.length - 1], [low, high + (high - low) * 0.05 + 1e-9])
    plane.label("log-likelihood", box.left, box.top - 8)
    inset.path(fit.history.map((l, i) => [i, l]), { stroke: theme.link, width: 3 })
  }

  draw(lab, pen, width, height) {
    const plane = lab.plane = lab.whole(pen, width, height), fit = this.at(lab), { theme } = lab
    const colours = fit.parts.map((_, k) => rgb(classColour(theme, k)))
    const mixed = (_, i) => {
      if (!fit.shares) return theme.text
      const channel = (c) => Math.round(fit.shares[i].reduce((sum, s, k) => sum + s * colours[k][c], 0))
      return `rgb(${channel(0)},${channel(1)},${channel(2)})`
    }
    plane.within(() => {
      plane.dots(lab.points, mixed, lab.points.length > 300 ? 3 : 5, fit.shares || lab.points.length < 300 ? 0.75 : 0.35)
      fit.parts.forEach((g, k) => {
        plane.ellipse(g, 1, { fill: classColour(theme, k), alpha: 0.15 })
        for (const r of [1, 2]) plane.ellipse(g, r, { stroke: classColour(theme, k), width: 3 })
      })
    })
    fit.parts.forEach((g, k) => plane.label(NAMES[k], plane.px(g.mean[0]), plane.py(g.mean[1]) + 5, "center", classColour(theme, k)))
    this.drawTrace(lab, fit, pen)
    plane.axes(...lab.axisNames)
  }
}
