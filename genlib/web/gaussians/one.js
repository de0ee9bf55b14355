// One dimension: a density whose mean and standard deviation are dragged, an area, samples.
import { decimals, Frame, readable } from "../shared/chart.js"
import { Chance } from "../shared/chance.js"
import { clamp } from "../shared/hand.js"
import { cdf, fitNormal, meanLog, pdf } from "../shared/normal.js"

const MOST = 2000 // samples
const FALL_MS = 450
const PER_SECOND = 25 // samples while playing

const axisOf = (lab) => (lab.state.axis === "y" ? 1 : 0)
const numbersOf = (lab) => lab.points.map((p) => p[axisOf(lab)])
const bestOf = (lab) => fitNormal(numbersOf(lab))
const span = (lab) => lab.ranges[axisOf(lab)]
const rounded = (x) => Number(x.toPrecision(4))

/** The samples of a link: fixed numbers from N(0, 1), moved to where the density is. */
const noise = []
const chance = new Chance(7)
const samplesOf = ({ state: { mu, sigma, drawn } }) => {
  while (noise.length < drawn) noise.push(chance.normal())
  return noise.slice(0, drawn).map((e) => mu + sigma * e)
}

const counts = (numbers, low, high, bins) => {
  const found = new Array(bins).fill(0)
  for (const x of numbers) {
    const i = Math.floor(((x - low) / (high - low)) * bins)
    if (i >= 0 && i < bins) found[i]++
  }
  return found
}

const slider = (key, label, range) => ({ kind: "slider", key, label, range, show: (v) => readable(v) })
const rangeOfMu = (lab) => {
  const [low, high] = span(lab)
  return [rounded(low), rounded(high), rounded((high - low) / 400)]
}
const rangeOfSigma = (lab) => {
  const [low, high] = span(lab)
  return [rounded((high - low) / 200), rounded((high - low) / 3), rounded((high - low) / 800)]
}

const area = (lab) => {
  const { mu, sigma, from, to } = lab.state, [a, b] = [Math.min(from, to), Math.max(from, to)]
  const inside = numbersOf(lab).filter((x) => x > a && x < b).length / lab.points.length
  return { a, b, share: cdf(b, mu, sigma) - cdf(a, mu, sigma), inside }
}

const report = (lab) => {
  const { mu, sigma } = lab.state, { a, b, share, inside } = area(lab), best = bestOf(lab)
  const numbers = numbersOf(lab), here = meanLog(numbers, mu, sigma), most = meanLog(numbers, best.mu, best.sigma)
  return `<p class="formula">f(x) = e<sup>−(x − ${readable(mu)})² / (2 · ${readable(sigma)}²)</sup> / (${readable(sigma)} √2π)</p>
    <p>P(${readable(a)} &lt; x &lt; ${readable(b)}) = <span class="big area">${(100 * share).toFixed(1)}%</span>; in the
      data ${(100 * inside).toFixed(1)}%.</p>
    <p>Log-likelihood per number: <b class="here">${decimals(here)}</b> nats, at most <b class="most">${decimals(most)}</b>.</p>`
}

const frames = (lab, pen, width, height) => {
  const { sigma } = lab.state, best = bestOf(lab), [low, high] = span(lab)
  const top = 1.25 * Math.max(pdf(0, 0, sigma), pdf(0, 0, best.sigma)), middle = Math.round(height * 0.66)
  const box = { left: 16, right: width - 16 }
  return [
    new Frame(pen, lab.theme, { ...box, top: 10, bottom: middle }, [low, high], [0, top]),
    new Frame(pen, lab.theme, { ...box, top: middle + 6, bottom: height - 42 }, [low, high], [0, 1]),
    clamp(Math.round((width - 32) / 18), 10, 44),
  ]
}

const drawDensity = (lab, upper, bins) => {
  const { theme } = lab, { mu, sigma } = lab.state, [low, high] = upper.xs, { a, b } = area(lab)
  const f = (x) => pdf(x, mu, sigma), numbers = numbersOf(lab), wide = (high - low) / bins
  upper.within(() => {
    counts(numbers, low, high, bins).forEach((n, i) => {
      const h = n / numbers.length / wide, x = low + i * wide
      upper.path([[x, 0], [x, h], [x + wide, h], [x + wide, 0]], { fill: theme.text, alpha: 0.16, stroke: theme.ground, width: 1 })
    })
    upper.between(() => 0, f, theme.accent, { alpha: 0.4, from: Math.max(a, low), to: Math.min(b, high) })
    upper.curve(f, theme.link, { width: 3 })
    for (const x of [a, b]) upper.path([[x, 0], [x, f(x)]], { stroke: theme.accent, width: 2 })
    upper.path([[mu, 0], [mu, f(mu)]], { stroke: theme.link, width: 1.5, dash: [5, 5] })
    upper.path([[mu, f(mu + sigma)], [mu + sigma, f(mu + sigma)]], { stroke: theme.link, width: 1.5, dash: [5, 5] })
  })
  upper.label("μ", upper.px(mu), upper.py(f(mu)) - 16, "center", theme.link)
  upper.label("σ", upper.px(mu + sigma) + 16, upper.py(f(mu + sigma)) + 5, "left", theme.link)
}

const drawSamples = (view, lab, upper, lower, bins) => {
  const { theme } = lab, { mu, sigma } = lab.state, [low, high] = lower.xs, now = performance.now()
  const samples = samplesOf(lab), above = new Set(view.falling.map(({ i }) => i))
  const landed = samples.filter((_, i) => !above.has(i)), wide = (high - low) / bins
  const expected = (x) => samples.length * wide * pdf(x, mu, sigma), found = counts(landed, low, high, bins)
  lower.ys = [0, Math.max(6, ...found, expected(mu)) * 1.1]
  lower.axes(lab.axisNames[axisOf(lab)])
  lower.within(() => {
    found.forEach((n, i) => {
      const x = low + i * wide
      lower.path([[x, 0], [x, n], [x + wide, n], [x + wide, 0]], { fill: theme.classes[1], alpha: 0.8, stroke: theme.ground, width: 1 })
    })
    if (samples.length) lower.curve(expected, theme.link, { width: 2, dash: [6, 4] })
  })
  lower.label(samples.length ? `${samples.length} samples` : "Samples fall here", lower.left + 6, lower.top + 18)
  view.falling = view.falling.filter(({ since }) => now - since < FALL_MS)
  for (const { i, since } of view.falling) {
    const x = samples[i], start = upper.py(pdf(x, mu, sigma) * 0.5), t = clamp((now - since) / FALL_MS)
    const { pen } = lower
    pen.fillStyle = theme.classes[1]
    pen.beginPath()
    pen.arc(lower.px(x), start + (lower.bottom - start) * t * t, 5, 0, 7)
    pen.fill()
  }
  if (view.falling.length) lab.frame.ask()
}

/** The view "One dimension". */
export class One {
  title = "One dimension"
  keys = ["axis", "mu", "sigma", "from", "to", "drawn"]
  bounds = { drawn: [0, MOST, 1], from: span, to: span }
  fixed = true // a click adds no point
  falling = []
  pace = 0
  panel = [
    { kind: "choice", key: "axis", label: "Variable", options: {
      x: (lab) => lab.axisNames[0], y: (lab) => lab.axisNames[1] } },
    slider("mu", "μ, the mean", rangeOfMu),
    slider("sigma", "σ, the standard deviation", rangeOfSigma),
    { kind: "buttons", list: [
      { title: "Fit", main: true, help: "Move μ and σ to the maximum of the likelihood",
        act: (lab) => lab.glide(bestOf(lab)) },
      { title: "Sample", help: "One number", act: (lab) => this.drop(lab, 1) },
      { title: "100", help: "A hundred numbers", act: (lab) => this.drop(lab, 100) },
      { title: "Play", plays: true, act: (lab) => lab.player.toggle() },
      { title: "Clear samples", act: (lab) => { this.falling = []; lab.set({ drawn: 0 }) } },
    ] },
    { kind: "numbers", html: report },
    { kind: "text", html: `Drag μ and σ on the curve, and the edges of the shaded area: its size is a
      probability. Grey is the data. A sample is μ + σ·ε with ε from N(0, 1), so samples move with the curve.` },
  ]

  defaults(lab) {
    const axis = lab.kept.one?.axis ?? "x", { mu, sigma } = fitNormal(lab.points.map((p) => p[axis === "y" ? 1 : 0]))
    return {
      axis: "x", mu: rounded(mu - sigma), sigma: rounded(sigma * 0.6), from: rounded(mu), to: rounded(mu + sigma), drawn: 0,
    }
  }

  enter() { this.falling = [] }

  /** The other column has a scale of its own. */
  changed(lab, values) {
    if (!("axis" in values)) return
    lab.kept.one = { axis: values.axis }
    lab.refresh()
  }

  drop(lab, count) {
    const before = lab.state.drawn, drawn = Math.min(MOST, before + count), now = performance.now()
    for (let i = before; i < drawn; i++) this.falling.push({ i, since: now + (count > 1 ? 4 * (i - before) : 0) })
    lab.set({ drawn })
  }

  handles(lab) {
    const { mu, sigma, from, to } = lab.state, { upper } = this, { link, accent } = lab.theme
    const at = (x, y) => [upper.px(x), upper.py(y)], [low, high] = upper.xs, least = (high - low) / 200
    const x = (px) => rounded(clamp(upper.x(px), low, high))
    return [
      { at: at(mu, pdf(mu, mu, sigma)), colour: link, to: (px) => lab.set({ mu: x(px) }) },
      { at: at(mu + sigma, pdf(mu + sigma, mu, sigma)), colour: link,
        to: (px) => lab.set({ sigma: rounded(clamp(upper.x(px) - lab.state.mu, least, least * 66)) }) },
      { at: at(from, 0), colour: accent, to: (px) => lab.set({ from: x(px) }) },
      { at: at(to, 0), colour: accent, to: (px) => lab.set({ to: x(px) }) },
    ]
  }

  arrow(lab, right, down, shift) {
    const by = (span(lab)[1] - span(lab)[0]) / 200, { mu, sigma, from, to } = lab.state
    const kept = (x) => rounded(clamp(x, ...span(lab)))
    if (shift) lab.set({ from: kept(from + right * by), to: kept(to + right * by - down * by) })
    else lab.set({ mu: rounded(clamp(mu + right * by, ...span(lab))), sigma: rounded(clamp(sigma - down * by, by, 66 * by)) })
  }

  step(lab, seconds) {
    this.pace += seconds * PER_SECOND
    const count = Math.floor(this.pace)
    this.pace -= count
    for (let i = 0; i < count; i++) this.drop(lab, 1)
    return lab.state.drawn < MOST
  }

  draw(lab, pen, width, height) {
    const [upper, lower, bins] = frames(lab, pen, width, height)
    this.upper = lab.plane = upper
    drawDensity(lab, upper, bins)
    drawSamples(this, lab, upper, lower, bins)
  }
}
