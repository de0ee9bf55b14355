// Points and a straight line: what most people think linear regression is.
import { readable } from "../shared/chart.js"
import {
  aroundThePicture, drawPoints, fitOf, fitted, formula, howMany, inRandomOrder, lineHandles, lineOf, moveLine, rounded,
  throughEnds, usualCount,
} from "./common.js"
import { predict } from "./polynomial.js"

const meanSquare = (points, f) => points.reduce((sum, [z, x]) => sum + (x - f(z)) ** 2, 0) / points.length

const report = (lab) => {
  const points = fitted(lab), best = fitOf(points, 1), f = lineOf(lab)
  return `<p class="formula">${formula(lab)}</p>
    <p>Mean squared error: <b class="here">${readable(meanSquare(points, f))}</b>, at least
      <b class="least">${readable(meanSquare(points, (z) => predict(best, z)))}</b>.</p>`
}

/** The view "Points and a line". */
export class Line {
  title = "Points and a line"
  keys = ["y1", "y2", "n"]
  bounds = { y1: aroundThePicture, y2: aroundThePicture }
  panel = [
    { kind: "buttons", list: [{ title: "Fit", main: true, help: "Least squares",
      act: (lab) => { const best = fitOf(fitted(lab), 1); lab.glide(throughEnds(lab, (z) => predict(best, z))) } }] },
    { kind: "numbers", html: report },
    howMany(),
    { kind: "text", html: `Drag both ends of the line. The red strokes are its errors; least squares makes the sum of
      their squares as small as possible.` },
    { kind: "text", html: `A line predicts <b>one</b> x for every z. It doesn't say how likely another x is, and it
      can't generate people: all of them would stand on the line.` },
  ]

  defaults(lab) {
    const n = usualCount(lab), mean = inRandomOrder(lab).slice(0, n).reduce((sum, p) => sum + p[1], 0) / n
    return { y1: rounded(mean), y2: rounded(mean), n }
  }

  handles(lab) { return lineHandles(lab) }
  arrow(lab, right, down) { moveLine(lab, right, down) }
  step() { return false }

  draw(lab, pen, width, height) {
    const plane = lab.plane = lab.whole(pen, width, height), { theme } = lab, f = lineOf(lab)
    plane.within(() => {
      for (const [z, x] of fitted(lab)) plane.path([[z, x], [z, f(z)]], { stroke: theme.classes[3], width: 1.5, alpha: 0.8 })
      drawPoints(lab, plane)
      plane.curve(f, theme.link, { width: 3.5 })
    })
    plane.axes(...lab.axisNames)
  }
}
