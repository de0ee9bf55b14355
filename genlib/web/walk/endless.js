import { download, enlarge, resize } from "../shared/picture.js"
import { Walk } from "./walk.js"

const HTML = `
  <div class="stage"><canvas class="now" role="img" aria-label="The picture of this z"></canvas>
  <div class="hands"><div class="row"><button class="play" aria-pressed="false">Play</button>
    <button class="back" title="To the stop before">‹ Stop</button>
    <button class="on" title="To the next stop">Stop ›</button>
    <button class="save" title="Save the picture as a PNG">Save</button></div>
    <label>Speed <input class="speed" type="range" min="0" max="1" step="any"><output class="pace"></output></label>
    <label>By hand <input class="hand" type="range" min="0" max="1" step="any"><output class="at"></output></label>
    <canvas class="strip" role="img" aria-label="This leg of the walk, from one stop to the next"></canvas>
    <p class="says"></p></div></div>`

/** An endless walk. Stop k is drawn from N(0, I) by the seed and k alone, so that a place on the walk
 * is one number: stops passed. */
export class Endless extends Walk {
  constructor(parent) {
    super(parent, "z-walk", HTML)
    this.stops = new Map()
    this.get(".back").onclick = () => this.byHand(Math.max(0, Math.ceil(this.at) - 1))
    this.get(".on").onclick = () => this.byHand(Math.floor(this.at) + 1)
    this.get(".save").onclick = () => this.save()
    this.get(".hand").oninput = (event) =>
      this.byHand(Math.floor(this.at) + Math.min(0.999, Number(event.target.value)))
    this.get(".speed").oninput = (event) => {
      const { slowest, fastest } = this.data
      this.speed = slowest * (fastest / slowest) ** Number(event.target.value)
      this.showPace()
      if (!this.player.playing) this.rest.moved()
    }
  }
  dress() {
    const d = this.data
    this.ways = [this.way(this.get(".now"), this.get(".strip"))]
    this.z = new Float32Array(d.dim)
    this.stops.clear()
    this.leg = Math.floor(d.at)
    this.speed = d.speed
    this.get(".speed").value = Math.log(d.speed / d.slowest) / Math.log(d.fastest / d.slowest)
    this.get(".says").textContent = d.frames
      ? `A closed loop of ${d.legs} stops, decoded on the server: this generator is too large for the browser.`
      : "Endless: every stop is a new draw of z, decoded here."
    this.showPace()
  }

  // Standard normal numbers of stop k: mulberry32 and Box-Muller.
  stop(k) {
    if (this.stops.has(k)) return this.stops.get(k)
    let state = (Math.imul(this.data.seed, 0x9e3779b1) + Math.imul(k, 40503) + 1) >>> 0
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0
      let t = Math.imul(state ^ (state >>> 15), 1 | state)
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296
    }
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
    const z = Float32Array.from({ length: this.data.dim }, normal)
    if (this.stops.size > 8) this.stops.clear()
    this.stops.set(k, z)
    return z
  }
  codeAt(at) {
    const leg = Math.floor(at), angle = ((at - leg) * Math.PI) / 2
    const a = this.stop(leg), b = this.stop(leg + 1), c = Math.cos(angle), s = Math.sin(angle)
    for (let i = 0; i < this.z.length; i++) this.z[i] = c * a[i] + s * b[i]
    return this.z
  }
  frameAt(at, count) {
    const { legs } = this.data
    return Math.floor(((at % legs) / legs) * count) % count
  }
  stripAt(share) { return this.leg + 0.9999 * share }
  step(seconds) { this.goTo(this.at + seconds * this.speed) }
  show() {
    const leg = Math.floor(this.at)
    if (leg !== this.leg) {
      this.leg = leg
      this.drawStrips()
    }
    this.get(".hand").value = this.at - leg
    this.get(".at").textContent = `stop ${this.at.toFixed(2)}`
  }
  showPace() {
    this.get(".pace").textContent = `${this.speed.toFixed(2)} stops/s`
  }

  // The walk rests exactly at the place that the link names: a rounded link would show 2.175 as
  // "stop 2.18" where the page showed 2.1749 as "stop 2.17", and another picture.
  told() {
    const at = Number(this.at.toFixed(2))
    if (!this.player.playing) this.goTo(at)
    return { at, speed: Number(this.speed.toFixed(3)) }
  }
  save() {
    const now = this.get(".now"), scale = Math.max(1, Math.round(448 / now.width))
    const big = document.createElement("canvas")
    resize(big, now.width * scale, now.height * scale)
    enlarge(big.getContext("2d"), now, 0, 0, scale)
    download(big, `z-walk-${this.at.toFixed(2)}.png`)
  }
}
