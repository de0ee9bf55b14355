// Two models, compared by how likely they find points that they haven't seen.
import { decimals, Frame } from "../shared/chart.js"
import { clamp } from "../shared/hand.js"
import { fitOf, fitted, heldOut, howMany, inRandomOrder, usualCount } from "./common.js"
import { highestDegree, meanLogLikelihood, predict } from "./polynomial.js"

const MOST = 15 // the highest degree
const BELOW = 1.2, ABOVE = 0.25 // nats around the best held-out model that the lower picture shows

/** Every degree's fit, with the mean log-likelihood of its own points and of those held out.
 * @param {number[][]} points @param {number[][]} others */
export const scores = (points, others) =>
  Array.from({ length: highestDegree(points, MOST) + 1 }, (_, degree) => {
    const model = fitOf(points, degree)
    return { model, train: meanLogLikelihood(model, points), held: meanLogLikelihood(model, others) }
  })

const degreeOf = (key, label) => ({
  kind: "slider", key, label, show: String, range: (lab) => [0, Math.max(1, highestDegree(fitted(lab), MOST)), 1],
})

/** The view "Compare models". */
export class Compare {
  title = "Compare models"
  keys = ["a", "b", "n"]
  cached = {}
  panel = [
    degreeOf("a", "Degree of model A"), degreeOf("b", "Degree of model B"),
    { kind: "numbers", html: (lab) => this.report(lab) },
    howMany(3),
    { kind: "buttons", list: [{ title: "Best held-out degree", main: true, help: "Use it for model B",
      act: (lab) => lab.set({ b: this.best(lab) }) }] },
    { kind: "text", html: `Likelihood compares any two models with an error. On the points of the <b>fit</b> a higher degree
      always wins. On <b>held-out</b> points it first wins, then loses: it has learned the errors by heart. That is
      overfitting.` },
  ]

  defaults(lab) {
    const n = usualCount(lab, 3), top = Math.max(1, highestDegree(inRandomOrder(lab).slice(0, n), MOST))
    return { a: 1, b: Math.min(12, top), n }
  }

  all(lab) {
    if (this.cached.points !== lab.points || this.cached.n !== lab.state.n) {
      const others = heldOut(lab)
      this.cached = { points: lab.points, n: lab.state.n, found: others.length ? scores(fitted(lab), others) : [] }
    }
    return this.cached.found
  }

  best(lab) {
    const found = this.all(lab)
    return found.reduce((best, one, degree) => (one.held > found[best].held ? degree : best), 0)
  }

  chosen(lab) {
    const found = this.all(lab)
    return ["a", "b"].map((key) => found[Math.min(lab.state[key], found.length - 1)])
  }

  report(lab) {
    if (!this.all(lab).length) return "<p>No points are left to judge the models by. Fit fewer.</p>"
    const [a, b] = this.chosen(lab), gap = b.held - a.held, theme = lab.theme
    const line = (name, one, c, dashed) => `<tr><td><span class="key ${dashed}" style="color:${theme.classes[c]}"></span>${name}: degree ${one.model.degree}</td>
      <td>${decimals(one.train)}</td><td><b class="held">${decimals(one.held)}</b></td></tr>`
    const verdict = Math.abs(gap) < 5e-4 ? "Both are equally good." : `<b class="winner">${gap > 0 ? "B" : "A"}</b> gives new points
      the higher log-likelihood, by <b>${decimals(Math.abs(gap))}</b> nats per point.`
    return `<table><tr><th>log-likelihood</th><th>fit</th><th>held out</th></tr>${line("A", a, 0, "")}${line("B", b, 1, "dashed")}</table>
      <p>${verdict} Best held-out degree: <b class="best">${this.best(lab)}</b>.</p>`
  }

  handles(lab) {
    const { lower } = this, found = this.all(lab)
    if (!lower || !found.length) return []
    return ["a", "b"].map((key, i) => {
      const degree = Math.min(lab.state[key], found.length - 1)
      return { at: [lower.px(degree), lower.py(clamp(found[degree].held, ...lower.ys))], colour: lab.theme.classes[i],
        to: (px) => lab.set({ [key]: Math.round(clamp(lower.x(px), 0, found.length - 1)) }) }
    })
  }

  arrow(lab, right, down, shift) {
    const key = shift ? "a" : "b"
    lab.set({ [key]: clamp(lab.state[key] + right - down, 0, this.all(lab).length - 1) })
  }

  step() { return false }

  drawScores(lab, pen, width, height, top) {
    const { theme } = lab, found = this.all(lab), best = Math.max(...found.map((one) => one.held))
    const ys = [best - BELOW, Math.max(best, ...found.map((one) => one.train)) + ABOVE]
    const lower = this.lower = new Frame(pen, theme, { left: 54, right: width - 14, top, bottom: height - 42 }, [-0.3, Math.max(1, found.length - 1) + 0.3], ys)
    lower.within(() => {
      lower.path(found.map((one, d) => [d, one.train]), { stroke: theme.text, width: 2, dash: [4, 5] })
      lower.path(found.map((one, d) => [d, one.held]), { stroke: theme.text, width: 3 })
    })
    lower.axes("degree", "log-likelihood per point")
    const at = Math.min(3, found.length - 1)
    lower.label("of the fit (dotted)", lower.right - 6, clamp(lower.py(found.at(-1).train) - 8, lower.top + 16, lower.bottom - 30), "right")
    lower.label("held out", lower.px(at), clamp(lower.py(found[at].held) + 26, lower.top + 16, lower.bottom - 6), "center")
  }

  draw(lab, pen, width, height) {
    const { theme } = lab, [zs, xs] = lab.ranges, middle = Math.round(height * 0.56)
    const upper = lab.plane = new Frame(pen, theme, { left: 54, right: width - 14, top: 26, bottom: middle - 42 }, zs, xs)
    const found = this.all(lab)
    upper.within(() => {
      upper.dots(heldOut(lab), () => theme.text, 2.5, 0.18)
      upper.dots(fitted(lab), () => theme.text, 4.5, 0.9)
      if (!found.length) return
      this.chosen(lab).forEach(({ model }, i) => {
        const f = (z) => predict(model, z), colour = theme.classes[i]
        upper.between((z) => f(z) - model.sigma, (z) => f(z) + model.sigma, colour, { alpha: 0.15 })
        upper.curve(f, colour, { width: 3, dash: i ? [9, 5] : [] })
      })
    })
    upper.axes(...lab.axisNames)
    if (found.length) this.drawScores(lab, pen, width, height, middle + 26)
  }
}
