// Why a VAE's q has a diagonal covariance: what it can't say, and what it costs.
import { decimals, readable } from "../shared/chart.js"
import { covariance, diagonal, diagonalQ, divergence } from "../shared/gaussian.js"
import { clamp } from "../shared/hand.js"
import { bestOf, toState } from "./two.js"

const rounded = (x) => Number(x.toPrecision(5))

/** p, the Gaussian of the points with the correlation of the slider, and q without any. */
const both = (lab) => {
  const { mx, my, sx, sy } = toState(bestOf(lab.points)), { rho, qx, qy } = lab.state
  const p = { mean: [mx, my], cov: covariance(sx, sy, rho) }
  return { p, q: { mean: [mx, my], cov: [qx * qx, 0, qy * qy] } }
}

const widths = (g) => ({ qx: rounded(Math.sqrt(g.cov[0])), qy: rounded(Math.sqrt(g.cov[2])) })

const keptWidth = (lab, size, axis) => {
  const wide = lab.ranges[axis][1] - lab.ranges[axis][0]
  return rounded(clamp(size, wide / 400, wide / 3))
}

const report = (lab) => {
  const { p, q } = both(lab), least = -0.5 * Math.log(1 - lab.state.rho ** 2)
  return `<table><tr><th></th><th>now</th><th>at least</th></tr>
    <tr><td>KL(q ‖ p), as in a VAE</td><td><b class="reverse">${decimals(divergence(q, p))}</b></td><td>${decimals(least)}</td></tr>
    <tr><td>KL(p ‖ q), as in a fit to data</td><td><b class="forward">${decimals(divergence(p, q))}</b></td><td>${decimals(least)}</td></tr>
    </table><p>The minimum, −½ log(1 − ρ²) nats, is the price of a diagonal covariance here, in either direction.</p>
    <p>σ of q: ${readable(lab.state.qx, 3)} and ${readable(lab.state.qy, 3)}; of p:
      ${readable(Math.sqrt(p.cov[0]), 3)} and ${readable(Math.sqrt(p.cov[2]), 3)}.</p>`
}

const width = (key, axis) => ({
  kind: "slider", key, label: (lab) => `σ of q, ${lab.axisNames[axis]}`, show: (v) => readable(v, 3), range: (lab) => {
    const wide = lab.ranges[axis][1] - lab.ranges[axis][0]
    return [rounded(wide / 400), rounded(wide / 3), rounded(wide / 1000)]
  },
})

/** The view "A VAE's q". */
export class Diagonal {
  title = "A VAE's q"
  keys = ["rho", "qx", "qy"]
  fixed = true
  panel = [
    { kind: "slider", key: "rho", label: "ρ of p, the true one", range: () => [-0.98, 0.98, 0.01], show: (v) => v.toFixed(2) },
    { kind: "buttons", list: [
      { title: "Least KL(q ‖ p)", main: true, help: "What a VAE's encoder is trained for",
        act: (lab) => lab.glide(widths(diagonalQ(both(lab).p))) },
      { title: "Least KL(p ‖ q)", help: "The most likely diagonal Gaussian", act: (lab) => lab.glide(widths(diagonal(both(lab).p))) },
    ] },
    { kind: "numbers", html: report },
    width("qx", 0), width("qy", 1),
    { kind: "text", html: `A full covariance of d latents has d(d + 1)/2 numbers: <b>210</b> for 20 latents, from a network, for
      each image, and always positive definite. A diagonal has <b>20</b>. Then z = μ + σ·ε, and the KL to N(0, I) is a sum
      over latents: ½ Σ (μ² + σ² − log σ² − 1).` },
    { kind: "text", html: `The price: q (solid) can't tilt. Trained by KL(q ‖ p) it stays inside p (dashed) and understates the
      spread. The decoder can rotate the latent space so that little is lost: latents become nearly independent.` },
  ]

  defaults(lab) {
    const { sx, sy, rho } = toState(bestOf(lab.points))
    return { rho: Number(rho.toFixed(2)), qx: rounded(sx * 0.5), qy: rounded(sy * 0.5) }
  }

  handles(lab) {
    const { plane } = lab, { q } = both(lab), [mx, my] = q.mean, kept = (size, axis) => keptWidth(lab, size, axis)
    return [
      { at: [plane.px(mx + 2 * lab.state.qx), plane.py(my)], colour: lab.theme.link,
        to: (px) => lab.set({ qx: kept((plane.x(px) - mx) / 2, 0) }) },
      { at: [plane.px(mx), plane.py(my + 2 * lab.state.qy)], colour: lab.theme.link,
        to: (px, py) => lab.set({ qy: kept((plane.y(py) - my) / 2, 1) }) },
    ]
  }

  arrow(lab, right, down, shift) {
    const { rho, qx, qy } = lab.state
    if (shift) lab.set({ rho: Number(clamp(rho + 0.02 * right, -0.98, 0.98).toFixed(2)) })
    else lab.set({ qx: keptWidth(lab, qx * 1.03 ** right, 0), qy: keptWidth(lab, qy * 1.03 ** -down, 1) })
  }

  step() { return false }

  draw(lab, pen, width, height) {
    const plane = lab.plane = lab.whole(pen, width, height), { p, q } = both(lab), { theme } = lab
    plane.within(() => {
      for (const r of [0.5, 1, 1.5, 2, 2.5]) plane.ellipse(p, r, { fill: theme.text, alpha: 0.07 })
      for (const r of [1, 2]) plane.ellipse(p, r, { stroke: theme.text, width: 2, dash: [7, 5] })
      for (const r of [1, 2]) plane.ellipse(q, r, { fill: theme.accent, alpha: 0.2 })
      for (const r of [1, 2]) plane.ellipse(q, r, { stroke: theme.link, width: 3 })
    })
    const [x, y] = p.mean, far = Math.sqrt(p.cov[0])
    plane.label("p, correlated", plane.px(x + 1.3 * far), plane.py(y + Math.sign(lab.state.rho || 1) * 1.9 * Math.sqrt(p.cov[2])))
    plane.label("q, diagonal", plane.px(x), plane.py(y - 2 * lab.state.qy) + 22, "center", theme.link)
    plane.axes(...lab.axisNames)
  }
}
