// Data that the model generates, next to the data that it was fitted to.
import { Frame, readable } from "../shared/chart.js"
import { Chance } from "../shared/chance.js"
import { correlation, fitGaussian } from "../shared/gaussian.js"
import { clamp } from "../shared/hand.js"
import { fitOf, fitted, howMany, usualCount } from "./common.js"
import { predict } from "./polynomial.js"

const NARROW = 560 // pixels below which the pictures stand on top of each other
const SHUFFLE_S = 0.5 // between two draws while playing

/** x = model(z) + error for the same z. @param {object} model @param {number[][]} points @param {number} seed
 * @param {boolean} error whether there is any */
export const generated = (model, points, seed, error) => {
  const chance = new Chance(seed)
  return points.map(([z]) => [z, predict(model, z) + (error ? model.sigma * chance.normal() : 0)])
}

const row = (name, points) => {
  const g = fitGaussian(points), rho = g.cov[2] > 0 ? correlation(g) : 0
  return `<tr><td>${name}</td><td>${readable(g.mean[1])}</td><td>${readable(Math.sqrt(g.cov[2]), 3)}</td><td>${readable(rho, 2)}</td></tr>`
}

/** The view "Generate". */
export class Generate {
  title = "Generate"
  keys = ["degree", "seed", "error", "n"]
  bounds = { seed: [1, 999, 1] }
  wait = 0
  panel = [
    { kind: "buttons", list: [
      { title: "Generate", main: true, act: (lab) => this.again(lab) },
      { title: "Play", plays: true, act: (lab) => lab.player.toggle() },
    ] },
    { kind: "toggle", key: "error", label: "With the error" },
    { kind: "numbers", html: (lab) => this.report(lab) },
    { kind: "slider", key: "degree", label: "Degree of the model", range: () => [0, 9, 1], show: String },
    howMany(),
    { kind: "text", html: `Take the z of real points, put the model's x there and add an error from N(0, σ²). If the
      model is right, you can't tell which picture is real. Switch the error off: no one is exactly average.` },
  ]

  defaults(lab) { return { degree: 1, seed: 1, error: true, n: usualCount({ points: lab.points }) } }
  again(lab) { lab.set({ seed: (lab.state.seed % 999) + 1 }) }

  step(lab, seconds) {
    this.wait += seconds
    if (this.wait > SHUFFLE_S) { this.wait = 0; this.again(lab) }
    return true
  }

  made(lab) {
    const points = fitted(lab), model = fitOf(points, lab.state.degree)
    return { points, model, fake: generated(model, points, lab.state.seed, lab.state.error) }
  }

  report(lab) {
    const { points, fake, model } = this.made(lab)
    return `<table><tr><th></th><th>mean of x</th><th>SD</th><th>ρ with z</th></tr>${row("real", points)}${row("generated", fake)}</table>
      <p>σ of the error: <b>${readable(model.sigma, 3)}</b></p>`
  }

  handles() { return [] }
  arrow(lab, right) { lab.set({ seed: clamp(lab.state.seed + right, 1, 999) }) }

  draw(lab, pen, width, height) {
    const { theme } = lab, { points, fake, model } = this.made(lab), [zs, xs] = lab.ranges, stacked = width < NARROW
    const half = stacked ? height / 2 : width / 2
    const box = (i) => (stacked
      ? { left: 54, right: width - 14, top: 26 + i * half, bottom: (i + 1) * half - (i ? 42 : 26) }
      : { left: 54 + i * (half + 4), right: half + i * half - 14, top: 26, bottom: height - 42 })
    const frames = [0, 1].map((i) => new Frame(pen, theme, box(i), zs, xs))
    lab.plane = frames[0]
    frames.forEach((frame, i) => {
      frame.within(() => {
        frame.dots(i ? fake : points, () => (i ? theme.classes[1] : theme.text), 4.5, 0.85)
        if (i || !stacked) frame.curve((z) => predict(model, z), theme.link, { width: 2, dash: i ? [] : [7, 5] })
      })
      frame.axes(stacked && !i ? "" : lab.axisNames[0], lab.axisNames[1])
      frame.label(i ? "generated" : "real", frame.right - 6, frame.top + 20, "right", i ? theme.classes[1] : theme.text)
    })
  }
}
