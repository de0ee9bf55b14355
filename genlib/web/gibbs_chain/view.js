// A Gibbs chain that runs here, in the browser: pixels, hidden units, free energy, a film strip.
import { component, markPlaying, Player, View } from "../shared/hand.js"
import { fromText } from "../shared/packet.js"
import { grey, imageOf, resize, show } from "../shared/picture.js"
import { Wanted } from "../shared/store.js"
import { readTheme } from "../shared/theme.js"
import { Chain, compileStack } from "./chain.js"
import { paintTrace } from "./trace.js"

const SPEEDS = [1, 2, 5, 15, 60, 240, Infinity] // steps a second
const BUDGET_MS = 11 // of a frame's 16.7, so that the page stays smooth
const TRACE = 400 // steps on the trace
const STRIP = 14 // pictures on the strip, if there is room for as many
const LEAST = 34 // pixels for each
const HTML = `
  <div class="bar"><button class="play">Run</button><button class="once">Step</button>
    <button class="again">Start over</button>
    <label>Speed <input class="speed" type="range" min="0" max="${SPEEDS.length - 1}" step="1" value="3"></label>
    <output class="rate"></output><span class="count"></span></div><div class="panels">
    <figure><figcaption class="what"></figcaption><canvas class="pixels" role="img"></canvas></figure>
    <figure class="units"><figcaption></figcaption><canvas class="hidden" role="img" aria-label="Hidden units"></canvas></figure>
    <figure class="wide"><figcaption>Free energy F in nats, step by step</figcaption>
      <canvas class="trace" role="img" aria-label="Free energy over steps"></canvas></figure></div>
  <figure class="film"><figcaption></figcaption><canvas class="strip" role="img" aria-label="Earlier pictures"></canvas></figure>`

class GibbsChain extends View {
  constructor(parent) {
    super(parent, "gibbs", HTML)
    Object.assign(this, { pairs: null, chains: [], film: [], steps: 0, owed: 0, wanted: new Wanted() })
    const mark = (playing) => markPlaying(this.get(".play"), playing, "Run")
    this.player = new Player((seconds) => this.tick(seconds), mark)
    this.get(".play").onclick = () => { this.owed = 1; this.player.toggle() }
    this.get(".once").onclick = () => {
      this.player.stop()
      this.advance(1)
      this.paint()
    }
    this.get(".again").onclick = () => this.restart()
    this.get(".speed").oninput = () => this.sayRate()
    this.sayRate()
  }
  update({ data }) {
    this.theme = readTheme(this.root)
    const before = this.data
    this.data = data
    if (before?.content === data.content) return this.paint()
    this.have(null)
    if (!before) { this.paintPictures(); this.paintFilm() } // empty, as large as they will be
    this.wanted.ask(data.name, ({ sizes, numbers }) => {
      this.have(compileStack(sizes, numbers))
      this.restart()
    })
  }
  end() { this.player.stop(); this.wanted.stop(); super.end() }

  // Without weights a click would do nothing.
  have(pairs) {
    this.pairs = pairs
    for (const button of this.root.querySelectorAll("button")) button.disabled = !pairs
  }
  get speed() { return SPEEDS[Number(this.get(".speed").value)] }
  sayRate() {
    const { speed } = this
    this.get(".rate").textContent = speed === Infinity ? "full speed" : `${speed} steps per second`
  }
  restart() {
    if (!this.pairs) return
    const d = this.data
    const digit = Float32Array.from(fromText(d.digit), (x) => (x > 127 ? 1 : 0))
    const start = d.start === "digit" ? digit : null
    this.known = d.known ? fromText(d.known) : null
    this.chains = Array.from({ length: d.chains }, () => new Chain(this.pairs, start, this.known, digit))
    this.steps = this.owed = 0
    this.trace = this.chains.map((chain) => [chain.f])
    this.film = [Float32Array.from(this.chains[0].p)]
    this.paint()
  }
  tick(seconds) {
    const { speed } = this // no time at infinite speed would be no number
    this.owed = speed === Infinity ? Infinity : Math.min(this.owed + seconds * speed, 1 + speed / 4)
    const steps = Math.floor(this.owed)
    if (steps < 1) return
    const done = this.advance(steps)
    this.owed = speed === Infinity ? 0 : this.owed - done
    this.paint()
  }

  // At most `steps` steps, as many as fit in a frame; returns how many.
  advance(steps) {
    const until = performance.now() + BUDGET_MS
    let done = 0
    while (this.pairs && done < steps && (done === 0 || performance.now() < until)) {
      this.chains.forEach((chain, k) => {
        chain.step()
        this.trace[k].push(chain.f)
        if (this.trace[k].length > TRACE) this.trace[k].shift()
      })
      this.steps++
      done++
      if (this.steps % this.data.stride) continue
      this.film.push(Float32Array.from(this.shown(this.chains[0])))
      if (this.film.length > STRIP) this.film.shift()
    }
    return done
  }
  shown(chain) { return this.data.show === "samples" ? chain.v : chain.p }
  paint() {
    if (this.gone || !this.pairs) return
    const energy = this.chains[0].f.toFixed(1).replace("-", "−")
    this.root.dataset.steps = this.steps
    this.get(".count").textContent = `step ${this.steps.toLocaleString("en")} · F = ${energy} nats`
    this.get(".what").textContent =
      this.data.show === "samples" ? "Pixels drawn: v ~ p(v | h)" : "Probabilities p(v | h)"
    this.paintPictures()
    this.paintUnits()
    paintTrace(this.get(".trace"), this.trace, this.data.band, this.theme, TRACE)
    this.paintFilm()
  }
  paintPictures() {
    const [, height, width] = this.data.shape, n = this.data.chains, across = Math.ceil(Math.sqrt(n))
    const gap = across > 1 ? 1 : 0, canvas = this.get(".pixels"), pen = canvas.getContext("2d")
    resize(canvas, across * (width + gap) - gap, Math.ceil(n / across) * (height + gap) - gap)
    canvas.setAttribute("aria-label", "The picture of each chain")
    this.chains.forEach((chain, k) => {
      const x = (k % across) * (width + gap), y = Math.floor(k / across) * (height + gap)
      pen.putImageData(this.picture(this.shown(chain)), x, y)
    })
  }

  // Grey or colour, channel after channel; pixels that are held fixed have the tint of the sea.
  picture(pixels) {
    const [channels, height, width] = this.data.shape
    const next = channels > 1 ? height * width : 0, red = channels > 1 ? 0.6 : 0.25 // red kept
    return imageOf(width, height, (i) => {
      const r = 255 * pixels[i], g = 255 * pixels[i + next], b = 255 * pixels[i + 2 * next]
      return this.known?.[i] ? [red * r, 40 + 0.7 * g, 60 + 0.76 * b] : [r, g, b]
    })
  }

  // One little square a unit of the top pair's upper layer, of the first chain.
  paintUnits() {
    const chain = this.chains[0], units = this.data.show === "samples" ? chain.h : chain.hp
    const across = Math.ceil(Math.sqrt(units.length * 1.25)), down = Math.ceil(units.length / across)
    show(this.get(".hidden"), imageOf(across, down, (j) => grey(units[j] ?? 0)))
    const name = this.pairs.length > 1 ? "top layer" : "hidden layer"
    const which = this.chains.length > 1 ? ", first chain" : ""
    this.get(".units figcaption").textContent = `${units.length} units of the ${name}${which}`
  }
  paintFilm() {
    const [, height, width] = this.data.shape, gap = 2, canvas = this.get(".strip")
    const room = Math.max(1, Math.min(STRIP, Math.floor(this.root.clientWidth / LEAST)))
    resize(canvas, room * (width + gap) - gap, height)
    const pen = canvas.getContext("2d"), whose = this.data.chains > 1 ? "The first chain" : "The chain"
    pen.clearRect(0, 0, canvas.width, canvas.height)
    this.film.slice(-room).forEach((pixels, k) => pen.putImageData(this.picture(pixels), k * (width + gap), 0))
    this.get(".film figcaption").textContent = `${whose}, one picture every ${this.data.stride} steps`
  }
}

export default component((parent) => new GibbsChain(parent))
