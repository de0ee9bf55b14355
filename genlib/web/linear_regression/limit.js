// The limit of all this: z is given. Where it isn't, both directions count alike, and the line is PCA's.
import { Frame, readable } from "../shared/chart.js"
import { correlation, fitGaussian } from "../shared/gaussian.js"
import { nameAndUnit } from "../shared/panel.js"
import { fitted, howMany, usualCount } from "./common.js"

/** Three lines through the mean of standardised points, as slopes of x over z in standard deviations, and where a
 * point's error ends on each. With correlation rho: x from z has slope rho, z from x 1 / rho, PCA 1 or -1. */
export const LINES = {
  x: { title: "x from z", slope: (rho) => rho, foot: (u, v, s) => [u, s * u] },
  z: { title: "z from x", slope: (rho) => 1 / rho, foot: (u, v, s) => [v / s, v] },
  both: { title: "z unknown: PCA", slope: (rho) => Math.sign(rho) || 1, foot: (u, v, s) => [(u + s * v) / (1 + s * s), (s * (u + s * v)) / (1 + s * s)] },
}

/** The standardised points of the fit. */
const standard = (lab) => {
  const points = fitted(lab), g = fitGaussian(points), sd = [Math.sqrt(g.cov[0]) || 1, Math.sqrt(g.cov[2]) || 1]
  const rho = g.cov[0] > 0 && g.cov[2] > 0 ? correlation(g) : 0.5
  return { g, sd, rho: Math.abs(rho) < 1e-3 ? 1e-3 : rho, points: points.map(([z, x]) => [(z - g.mean[0]) / sd[0], (x - g.mean[1]) / sd[1]]) }
}

const report = (lab) => {
  const { sd, rho } = standard(lab), [[z, inZ], [x, inX]] = lab.axisNames.map(nameAndUnit)
  const rows = Object.entries(LINES).map(([name, { title, slope }]) =>
    `<tr><td>${lab.state.errors === name ? `<b>${title}</b>` : title}</td><td><b class="slope-${name}">${readable((slope(rho) * sd[1]) / sd[0], 3)}</b></td></tr>`)
  return `<table><tr><th>slope</th><th>${inX || x} per ${inZ || z}</th></tr>${rows.join("")}</table>`
}

/** The view "Without z". */
export class Limit {
  title = "Without z"
  keys = ["errors", "n"]
  fixed = true
  panel = [
    { kind: "choice", key: "errors", label: "Errors measured for", options: Object.fromEntries(Object.entries(LINES).map(([k, { title }]) => [k, title])) },
    { kind: "numbers", html: report },
    howMany(),
    { kind: "text", html: `Regression was <b>given</b> z: only x has an error, and it is measured along x. Swap the two
      and you get another line.` },
    { kind: "text", html: `In an autoencoder no one gives z. It has to be found together with the line: the nearest point on it.
      Then the errors are perpendicular to it, and the best line is the first axis of <b>PCA</b> (with both axes in
      standard deviations). Bend the line, and it is an autoencoder.` },
  ]

  defaults(lab) { return { errors: "x", n: Math.min(60, Math.max(usualCount(lab), lab.points.length)) } }
  handles() { return [] }

  arrow(lab, right, down) {
    const names = Object.keys(LINES), at = names.indexOf(lab.state.errors)
    lab.set({ errors: names[(at + right + down + names.length) % names.length] })
  }

  step() { return false }

  /** The frame in standard deviations, equally many pixels each, so that right angles look right. */
  draw(lab, pen, width, height) {
    const { theme } = lab, { rho, points } = standard(lab), box = { left: 54, right: width - 14, top: 26, bottom: height - 42 }
    const reach = 1.1 * Math.max(2, ...points.flat().map(Math.abs)), w = box.right - box.left, h = box.bottom - box.top, side = Math.min(w, h)
    const frame = lab.plane = new Frame(pen, theme, box, [(-reach * w) / side, (reach * w) / side], [(-reach * h) / side, (reach * h) / side])
    frame.within(() => {
      Object.entries(LINES).forEach(([name, { slope, foot }], i) => {
        const s = slope(rho), on = lab.state.errors === name, colour = theme.classes[[3, 0, 2][i]]
        if (on) for (const [u, v] of points) frame.path([[u, v], foot(u, v, s)], { stroke: colour, width: 1.5, alpha: 0.8 })
        const far = 40 / Math.max(1, Math.abs(s))
        frame.path([[-far, -far * s], [far, far * s]], { stroke: colour, width: on ? 4 : 2, dash: on ? [] : [7, 6] })
      })
      frame.dots(points, () => theme.text, 4.5, 0.85)
    })
    const [z, x] = lab.axisNames.map((name) => name.split(",")[0])
    frame.axes(`z: ${z}, standard deviations`, `x: ${x}, standard deviations`)
    Object.values(LINES).forEach(({ title }, i) => frame.label(title, frame.left + 8, frame.top + 22 + 22 * i, "left", theme.classes[[3, 0, 2][i]]))
  }
}
