// Two ways from noise to samples: the inverse of F, and a GAN that learns it. All in the browser.
import { clamp, component, onArrows, onDrag } from "../shared/hand.js"
import { written } from "../shared/learn/chart.js"
import { Desk, DIALOG, REPLAY, SETTINGS, sheetOf, STEPS, TRANSPORT } from "../shared/learn/desk.js"
import { Random, STREAMS } from "../shared/learn/random.js"
import { stay } from "../shared/stay.js"
import { script } from "./code.js"
import { BINS, cdfAt, DRAWN, HIGH, KNOTS, LOW, middle, quantile, tableOf } from "./densities.js"
import { FIELDS } from "./fields.js"
import { Plot } from "./plot.js"
import { placeOf, PLACES, SHARES, study } from "./study.js"

const MOST = 100_000, BARS = 60, FALL_MS = 700, PER_FRAME = 0.01
const X = [LOW, HIGH], TICKS = [-2, 0, 2], PIXEL_STEP = 0.02
const HTML = `
  <div class="ways"><section class="inverse"><div class="bar"><b>By F⁻¹</b><button class="one">One</button><button class="many"
      >1,000</button><button class="stream">Play</button><button class="none">Clear</button><span class="count"></span></div>
    <canvas class="density" tabindex="0" role="img"></canvas><canvas class="cdf" tabindex="0" role="img"></canvas></section>
  <section class="learnt"><div class="bar"><b>By a GAN</b>${TRANSPORT}</div>
    <div class="sheet"><canvas class="quantiles" role="img"></canvas>${REPLAY}</div><canvas class="judge" role="img"></canvas></section></div>
  <div class="side"><dl>${STEPS}
    <div><dt title="How far a sample must move on average to fit p">Distance</dt><dd class="distance"></dd></div>
    <div><dt title="Share of G's samples where p is below 2% of its highest">In gaps</dt><dd class="gap"></dd></div>
    <div><dt>Losses D, G</dt><dd class="losses"></dd></div></dl>
    <details class="more">${SETTINGS}<div class="files"><button class="code">As code</button></div></details></div>${DIALOG}`

class Sampling extends Desk {
  constructor(parent, data) {
    super(parent, "sampling", HTML, {
      prefix: "sampling.", fields: FIELDS, study, script, file: "sampling.py",
      worker: data.worker ?? new URL("worker.js", import.meta.url),
    })
    Object.assign(this, { u: 0.5, top: 1, fallen: 1 })
    stay(this.get(".ways"))
    this.buttons()
    this.hands()
    this.start()
  }
  buttons() {
    const on = (name, act) => { this.get(name).onclick = act }
    on(".one", () => { this.stream(false); this.sample(1); this.fallen = 0; this.write() })
    on(".many", () => { this.stream(false); this.sample(1000); this.write() })
    on(".stream", () => { this.stream(!this.streaming); this.write() })
    on(".none", () => { this.stream(false); this.forget(); this.write() })
  }
  stream(on) {
    this.streaming = on
    this.get(".stream").textContent = on ? "Stop" : "Play"
    this.get(".stream").setAttribute("aria-pressed", String(on))
  }
  hands() {
    const density = this.get(".density"), cdf = this.get(".cdf")
    onDrag(density, (left, top) => {
      const [x, height] = Plot.at(density, { x: X, y: [0, this.top] }, left, top)
      this.raise(x, height / this.top)
    }, () => true)
    density.onpointerup = () => { if (this.settings.density === DRAWN) this.begin(this.settings) }
    onArrows(density, (right, down) => { // a pen for the keyboard
      this.pen = clamp((this.pen ?? 0) + 0.125 * right, LOW, HIGH - 0.01)
      if (down) { this.raise(this.pen, this.heightAt(this.pen) - 0.1 * down, false); this.begin(this.settings) }
    })
    onDrag(cdf, (left, top) => this.point(Plot.at(cdf, { x: X, y: [0, 1] }, left, top)[1]), () => true)
    onArrows(cdf, (right, down) => this.point(this.u + PIXEL_STEP * (right - down)))
  }
  point(u) {
    this.u = clamp(u, 0.001, 0.999)
    this.fallen = 1
  }
  heightAt(x) {
    const p = this.table.p[clamp(Math.floor(((x - LOW) / (HIGH - LOW)) * BINS), 0, BINS - 1)]
    return p / this.top
  }
  // Set the height of p at x, as a share of the chart; the knots between this place and the last follow.
  raise(x, share, joined = true) {
    const knot = (place) => clamp(Math.floor(((place - LOW) / (HIGH - LOW)) * KNOTS), 0, KNOTS - 1)
    const { density, heights } = this.settings
    const now = density === DRAWN ? [...heights]
      : Array.from({ length: KNOTS }, (_, k) => 63 * this.heightAt(LOW + ((k + 0.5) * (HIGH - LOW)) / KNOTS))
    const to = knot(x), dragging = joined && this.lastKnot !== undefined && performance.now() - this.lastAt < 200
    const from = dragging ? this.lastKnot : to
    for (let k = Math.min(from, to); k <= Math.max(from, to); k++) now[k] = Math.round(63 * clamp(share))
    Object.assign(this, { lastKnot: to, lastAt: performance.now() })
    this.settings = { ...this.settings, density: DRAWN, heights: now }
    this.table = tableOf(this.settings)
  }

  // --------------------------------------------------------------------------------- inverse transform
  forget() {
    this.uniform = new Random(this.settings.seed, STREAMS.shown)
    Object.assign(this, { count: 0, bars: new Float64Array(BARS) })
  }
  sample(count) {
    for (let k = 0; k < count && this.count < MOST; k++) {
      this.u = this.uniform.uniform()
      const x = quantile(this.table.cdf, this.u)
      this.bars[Math.min(BARS - 1, Math.floor(((x - LOW) / (HIGH - LOW)) * BARS))] += 1
      this.count += 1
    }
  }

  // ------------------------------------------------------------------------------------- for the desk
  begin(settings, log, write) {
    const count = this.count ?? 0
    this.table = tableOf(settings)
    this.settings = settings
    this.top = 1.25 * Math.max(...this.table.p)
    this.forget()
    this.sample(count)
    super.begin(settings, log, write)
  }
  take(link) {
    this.stream(false)
    const n = Number(link.n ?? 0)
    this.count = Number.isInteger(n) && n > 0 ? Math.min(n, MOST) : 0
  }
  extra() { return { n: this.count || null } }
  ask() { return {} }
  heard() {}
  paint(last, theme) {
    const { shown, dLoss, gLoss } = last
    if (this.streaming) this.sample(Math.ceil(PER_FRAME * this.count) || 1)
    if (this.streaming && this.count >= MOST) { this.stream(false); this.write() }
    const colours = { p: theme.classes[0], q: theme.classes[1] }
    this.paintDensity(shown, theme, colours)
    this.paintCdf(theme, colours)
    this.paintQuantiles(shown, theme, colours)
    this.paintJudge(shown, theme, colours)
    this.say(".count", this.count ? this.count.toLocaleString("en") : "")
    this.countSteps(last)
    this.say(".distance", shown.measures.distance.toFixed(3))
    this.say(".gap", `${(100 * shown.measures.gap).toFixed(1)}%`)
    this.say(".losses", Number.isNaN(dLoss) ? "–" : `${written(dLoss)}, ${written(gLoss)}`)
  }
  // From u across to F and down to x: the part of the way that the latest u has gone.
  get fall() {
    const now = performance.now()
    if (this.fallen === 0) { this.fellAt = now; this.fallen = 0.001 }
    if (this.fallen < 1) this.fallen = clamp((now - this.fellAt) / FALL_MS, 0.001, 1)
    return this.fallen
  }
  paintDensity({ q }, theme, colours) {
    const canvas = this.get(".density"), plot = new Plot(sheetOf(canvas), theme, { x: X, y: [0, this.top] })
    const width = (HIGH - LOW) / BARS
    if (this.count) plot.bars(LOW, width, this.bars.map((n) => n / (this.count * width)), colours.p, 0.35)
    plot.line(middle, q, colours.q)
    plot.line(middle, this.table.p, colours.p)
    plot.axes({ x: TICKS, y: [0] })
    plot.names([["p(x)", colours.p], ["G's samples", colours.q], ["drag to draw", theme.text]])
    if (document.activeElement === canvas || this.root.getRootNode().activeElement === canvas) {
      if (this.pen !== undefined) plot.dot(this.pen, this.heightAt(this.pen) * this.top, theme.text)
    }
    canvas.setAttribute("aria-label", `Density, ${this.count} samples. Arrow keys draw.`)
  }
  paintCdf(theme, colours) {
    const canvas = this.get(".cdf"), { cdf } = this.table
    const plot = new Plot(sheetOf(canvas), theme, { x: X, y: [0, 1] })
    plot.line((i) => LOW + ((HIGH - LOW) * i) / BINS, cdf, colours.p)
    const x = quantile(cdf, this.u), share = this.fall
    const right = LOW + (x - LOW) * clamp(2 * share), down = this.u * (1 - clamp(2 * share - 1))
    plot.line((i) => [LOW, right][i], [this.u, this.u], theme.accent, { width: 1.5, dash: [4, 3] })
    if (share > 0.5) plot.line(() => x, [this.u, down], theme.accent, { width: 1.5, dash: [4, 3] })
    plot.dot(right, share > 0.5 ? down : this.u, theme.accent)
    plot.axes({ x: TICKS, y: [0, 0.5, 1] })
    const said = `u = ${this.u.toFixed(3)} → x = F⁻¹(u) = ${(Math.round(100 * x) / 100 || 0).toFixed(2)}`
    plot.names([["F(x)", colours.p], [said, theme.text]])
    canvas.setAttribute("aria-label", said)
  }
  paintQuantiles({ g }, theme, colours) {
    const { noise } = this.settings, edge = placeOf(PLACES - 1, noise), z = (i) => placeOf(i, noise)
    const plot = new Plot(sheetOf(this.get(".quantiles")), theme, { x: [-edge, edge], y: X })
    // A G that falls everywhere is as good: it is compared with the mirrored inverse.
    const sign = g[PLACES - 1] < g[0] ? -1 : 1
    const share = (i) => clamp(SHARES[noise](sign * z(i)), 1e-9, 1 - 1e-9)
    plot.line(z, Float64Array.from({ length: PLACES }, (_, i) => quantile(this.table.cdf, share(i))), colours.p)
    plot.line(z, g, colours.q)
    plot.axes({ x: noise === "normal" ? TICKS : [-1, 0, 1], y: TICKS })
    // The share of the noise below z: Φ(z) for N(0, 1).
    const name = sign > 0 ? "F⁻¹(share of noise below z)" : "F⁻¹(share of noise above z)"
    plot.names([[name, colours.p], ["G(z)", colours.q], ["over z", theme.text]])
    this.get(".quantiles").setAttribute("aria-label", "G(z) and the inverse of F over z")
  }
  paintJudge({ belief, optimal }, theme, colours) {
    const plot = new Plot(sheetOf(this.get(".judge")), theme, { x: X, y: [0, 1] })
    plot.line((i) => [LOW, HIGH][i], [0.5, 0.5], theme.line, { width: 1, dash: [3, 3] })
    plot.line(middle, optimal, colours.p)
    plot.line(middle, belief, theme.text)
    plot.axes({ x: TICKS, y: [0, 0.5, 1] })
    plot.names([["best D: p/(p+q)", colours.p], ["D(x)", theme.text]])
    const at = cdfAt(this.table.cdf, 0).toFixed(2)
    this.get(".judge").setAttribute("aria-label", `D over x and the best D; F(0) = ${at}`)
  }
}

export default component((parent, data) => new Sampling(parent, data ?? {}))
