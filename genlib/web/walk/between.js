import { clamp, onArrows, placeIn } from "../shared/hand.js"
import { paintPixels } from "../shared/picture.js"
import { Walk } from "./walk.js"

const THERE_AND_BACK_S = 5
const HTML = `
  <div class="hand"><button class="play" aria-pressed="false">Play</button>
  <span class="from"></span><input type="range" step="any" aria-label="Amount"><span class="to"></span>
  <output></output></div><div class="ways"></div>`
const WAY = `<figcaption></figcaption><canvas class="now" role="img"></canvas><canvas class="strip" role="img"></canvas>`

/** One slider t between two codes; next to it, if asked for, the same way in pixels. */
export class Between extends Walk {
  constructor(parent) {
    super(parent, "latent-walk", HTML)
    this.input = this.get("input")
    this.input.oninput = () => this.byHand(Number(this.input.value))
    onArrows(this.input, (right, down) => {
      const { low, high } = this.data
      this.byHand(clamp(this.at + ((right - down) * (high - low)) / 50, low, high))
    })
  }
  dress() {
    const d = this.data
    this.input.min = d.low
    this.input.max = d.high
    this.get(".from").textContent = d.from
    this.get(".to").textContent = d.to
    if (this.ways.map((way) => way.title).join() !== d.ways.map((way) => way.title).join()) {
      this.get(".ways").replaceChildren(...d.ways.map(() => document.createElement("figure")))
      this.figures = [...this.get(".ways").children]
      this.figures.forEach((figure) => { figure.innerHTML = WAY })
    }
    this.ways = d.ways.map(({ title, kind }, k) => this.wayIn(this.figures[k], title, kind))
    this.z = new Float32Array(d.za.length)
    this.pixels = new Float32Array(d.xa?.length ?? 0)
  }
  wayIn(figure, title, kind) {
    const [caption, now, strip] = figure.children
    caption.textContent = title
    now.setAttribute("aria-label", title)
    now.classList.add(kind)
    strip.setAttribute("aria-label", `${title}: the whole way`)
    strip.onpointerdown = (event) => {
      const k = Math.floor(placeIn(event, strip)[0] * this.data.strip)
      this.byHand(this.stripAt(k / (this.data.strip - 1)))
    }
    return { ...this.way(now, strip, kind), title }
  }
  paint(way, at) {
    if (way.kind !== "pixels") return super.paint(way, at)
    const { xa, xb, shape } = this.data, t = clamp(at)
    for (let i = 0; i < this.pixels.length; i++) this.pixels[i] = (1 - t) * xa[i] + t * xb[i]
    return paintPixels(this.pixels, shape[0], way.image, 255)
  }
  codeAt(t) {
    const { za, zb } = this.data
    for (let i = 0; i < this.z.length; i++) this.z[i] = za[i] + t * (zb[i] - za[i])
    return this.z
  }
  frameAt(t, count) {
    return Math.round(((t - this.data.low) / (this.data.high - this.data.low)) * (count - 1))
  }
  stripAt(share) { return this.data.low + share * (this.data.high - this.data.low) }

  // There and back like a swing, beginning where the slider is.
  begin() {
    const { low, high } = this.data
    this.phase = Math.acos(1 - (2 * (this.at - low)) / (high - low))
  }
  step(seconds) {
    this.phase += (seconds / THERE_AND_BACK_S) * 2 * Math.PI
    this.goTo(this.stripAt(0.5 - 0.5 * Math.cos(this.phase)))
  }
  show() {
    this.input.value = this.at
    this.get("output").textContent = `t = ${this.at.toFixed(2)}`
  }
  told() { return { t: Number(this.at.toFixed(3)) } }
}
