// True model + error: a distribution around the line, and how sure we are of the line.
import { decimals, readable } from "../shared/chart.js"
import { clamp } from "../shared/hand.js"
import { cdf, logPdf, pdf, quantileT } from "../shared/normal.js"
import { nameAndUnit } from "../shared/panel.js"
import {
  aroundThePicture, drawPoints, fitOf, fitted, formula, howMany, inRandomOrder, lineHandles, lineOf, lineText, moveLine,
  rounded, throughEnds, usualCount,
} from "./common.js"
import { leverage, meanLogLikelihood, predict } from "./polynomial.js"

const SURE = 0.95

/** Half the width of a fitted model's 95% band, as a function of z. @param {object} model
 * @param {boolean} point of a new point, error included; otherwise of the curve itself */
export const halfWidth = (model, point) => {
  const wide = model.spread * quantileT(SURE, Math.max(1, model.n - model.degree - 1))
  return (z) => wide * Math.sqrt(leverage(model, z) + (point ? 1 : 0))
}

const meanLog = (lab) => {
  const f = lineOf(lab), points = fitted(lab)
  return points.reduce((sum, [z, x]) => sum + logPdf(x, f(z), lab.state.sigma), 0) / points.length
}

// The bands belong to the fitted line, so its σ is told there, not that of the slider.
const reportBands = (lab) => {
  const { pz } = lab.state, best = fitOf(fitted(lab), 1), axes = lab.axisNames.map(nameAndUnit)
  const [[z, inZ], [, inX]] = axes, slope = predict(best, pz + 1) - predict(best, pz)
  return `<p class="formula">${lineText(slope, predict(best, pz) - slope * pz, axes)} + error, &nbsp;error ~ N(0, ${readable(best.spread, 3)}²)</p>
    <p>This line is fitted to ${best.n} points.</p>
    <p>95% bands at ${z} ${readable(pz)} ${inZ}: the line ± <b class="ofLine">${readable(halfWidth(best, false)(pz), 3)}</b>,
      a new point ± <b class="ofPoint">${readable(halfWidth(best, true)(pz), 3)}</b> ${inX}.</p>`
}

const report = (lab) => {
  if (lab.state.bands) return reportBands(lab)
  const { pz, px, sigma } = lab.state, mu = lineOf(lab)(pz), best = fitOf(fitted(lab), 1)
  const [[z, inZ], [x, inX]] = lab.axisNames.map(nameAndUnit), more = 1 - cdf(px, mu, sigma)
  return `<p class="formula">${formula(lab)} + error, &nbsp;error ~ N(0, ${readable(sigma, 3)}²)</p>
    <p>A ${x} of <b>${readable(px)}</b> ${inX} at ${z} ${readable(pz)} ${inZ}: density
      <b class="density">${readable(pdf(px, mu, sigma), 2)}</b>, log p(x | z) = <b class="log">${decimals(logPdf(px, mu, sigma))}</b>.
      ${readable(Math.abs(px - mu) / sigma, 2)} σ ${px > mu ? "above" : "below"} the line; ${(100 * more).toFixed(1)}% lie higher.</p>
    <p>Log-likelihood per point: <b class="here">${decimals(meanLog(lab))}</b> nats, at most <b class="most">${decimals(meanLogLikelihood(best, fitted(lab)))}</b>.</p>`
}

/** The view "True model + error". */
export class WithError {
  title = "True model + error"
  keys = ["y1", "y2", "sigma", "pz", "px", "bands", "n"]
  bounds = {
    y1: aroundThePicture, y2: aroundThePicture, pz: (lab) => lab.ranges[0], px: (lab) => lab.ranges[1],
  }
  panel = [
    { kind: "buttons", list: [{ title: "Fit", main: true, help: "The highest likelihood",
      act: (lab) => {
        const best = fitOf(fitted(lab), 1)
        lab.glide({ ...throughEnds(lab, (z) => predict(best, z)), sigma: best.sigma })
      } }] },
    { kind: "numbers", html: report },
    { kind: "slider", key: "sigma", label: "σ of the error", show: (v) => readable(v, 3), range: (lab) => {
      const wide = lab.ranges[1][1] - lab.ranges[1][0]
      return [rounded(wide / 300), rounded(wide / 2), rounded(wide / 600)]
    } },
    { kind: "toggle", key: "bands", label: "95% bands of the fit" },
    howMany(),
    { kind: "text", html: `Now the model is p(x | z) = N(x; line, σ²). Point at a place or tap it: every x has a likelihood. The
      most likely line is that of least squares, and σ² is its mean squared error.` },
    { kind: "text", html: `Solid: the line fitted to the dark points. Dotted: the line that you drag. With
      <b>more points</b> the inner band shrinks: we learn the line. The outer one (dashed) doesn't: people differ.`, when: (lab) => lab.state.bands },
  ]

  defaults(lab) { // the line follows the fit to as many points as the slider says, until it is moved
    const n = usualCount(lab), count = lab.kept.error?.n ?? n, [low, high] = lab.ranges[0]
    const best = fitOf(inRandomOrder(lab).slice(0, count), 1)
    const at = low + 0.66 * (high - low)
    return {
      ...throughEnds(lab, (z) => predict(best, z)), sigma: rounded(best.sigma * 0.6), pz: rounded(at),
      px: rounded(predict(best, at) + best.sigma), bands: false, n,
    }
  }

  changed(lab, values) { if ("n" in values) lab.refresh() }

  handles(lab) {
    if (lab.state.bands) return lineHandles(lab)
    const { plane } = lab, middle = (lab.ranges[0][0] + lab.ranges[0][1]) / 2, f = lineOf(lab), wide = plane.ys[1] - plane.ys[0]
    return [...lineHandles(lab), {
      at: [plane.px(middle), plane.py(f(middle) + lab.state.sigma)], colour: lab.theme.link,
      to: (_, py) => lab.set({ sigma: rounded(clamp(plane.y(py) - f(middle), wide / 300, wide / 2)) }),
    }]
  }

  hover(lab, px, py) {
    const { plane } = lab
    lab.set({ pz: rounded(clamp(plane.x(px), ...plane.xs)), px: rounded(clamp(plane.y(py), ...plane.ys)) })
  }

  arrow(lab, right, down, shift) {
    if (!shift) return moveLine(lab, right, down)
    const [zs, xs] = lab.ranges, { pz, px } = lab.state
    lab.set({ pz: rounded(clamp(pz + (right * (zs[1] - zs[0])) / 150, ...zs)), px: rounded(clamp(px - (down * (xs[1] - xs[0])) / 150, ...xs)) })
  }

  step() { return false }

  drawSlice(lab, plane, f) {
    const { theme } = lab, { pz, px, sigma } = lab.state, mu = f(pz), [low, high] = plane.ys, colour = theme.classes[3]
    const wide = (130 * (plane.xs[1] - plane.xs[0])) / (plane.right - plane.left)
    const ys = Array.from({ length: 161 }, (_, i) => low + ((high - low) * i) / 160)
    const line = ys.map((y) => [pz + wide * pdf(y, mu, sigma) * sigma * 2, y])
    plane.path([[pz, low], ...line, [pz, high]], { fill: colour, alpha: 0.25, closed: true })
    plane.path(line, { stroke: colour, width: 2 })
    plane.path([[pz, px], [pz + wide * pdf(px, mu, sigma) * sigma * 2, px]], { stroke: colour, width: 4 })
  }

  /** The least-squares line of the points and its two bands: the only ones in the picture. */
  drawBands(lab, plane) {
    const best = fitOf(fitted(lab), 1), colour = lab.theme.classes[1], { pz } = lab.state
    const wide = [halfWidth(best, false), halfWidth(best, true)]
    const band = (sign, point) => (z) => predict(best, z) + sign * wide[Number(point)](z)
    plane.between(band(-1, false), band(1, false), colour, { alpha: 0.35 })
    for (const sign of [-1, 1]) plane.curve(band(sign, true), colour, { width: 2.5, dash: [8, 5] })
    plane.curve((z) => predict(best, z), colour, { width: 3.5 })
    plane.path([[pz, band(-1, true)(pz)], [pz, band(1, true)(pz)]], { stroke: lab.theme.classes[3], width: 2 })
  }

  draw(lab, pen, width, height) {
    const plane = lab.plane = lab.whole(pen, width, height), { theme } = lab, f = lineOf(lab), { sigma, pz, px } = lab.state
    plane.within(() => {
      if (lab.state.bands) this.drawBands(lab, plane)
      else for (const k of [2, 1]) plane.between((z) => f(z) - k * sigma, (z) => f(z) + k * sigma, theme.accent, { alpha: 0.18 })
      plane.curve(f, theme.link, lab.state.bands ? { width: 2, dash: [3, 4] } : { width: 3.5 })
      drawPoints(lab, plane)
      if (!lab.state.bands) this.drawSlice(lab, plane, f)
    })
    plane.handle([plane.px(pz), plane.py(px)], theme.classes[3], false)
    if (!lab.state.bands) plane.label("σ", plane.px((plane.xs[0] + plane.xs[1]) / 2) + 14, plane.py(f((plane.xs[0] + plane.xs[1]) / 2) + sigma) + 5, "left", theme.link)
    plane.axes(...lab.axisNames)
  }
}
