// One canvas for the frames of an ascent, its curves and its filmstrip. Frames come from feed.js;
// each is drawn in the browser's next animation frame.
import { component, placeIn, View } from "../shared/hand.js"
import { canvasOf, circle, paintPixels, resize, show } from "../shared/picture.js"
import { readTheme } from "../shared/theme.js"
import { colourOf, drawCurves } from "./curves.js"
import { Feed } from "./feed.js"
import { placeTiles } from "./places.js"
import { drawStrip } from "./strip.js"

const TALLEST = 470 // CSS pixels of a single picture
const SHARE = 0.42 // of the window's height that a single picture takes at most
const FACTS_MS = 200 // numbers that change faster cannot be read
const COLOURS_MS = 1000
const KEPT = 60 // frames whose rate is told
const HTML = `
  <div class="film">
    <div class="stage"><canvas class="picture" role="img" aria-label="Picture of the ascent"></canvas></div>
    <label class="compare" hidden>Uncover the original<input type="range" min="0" max="1000" value="0"></label>
    <div class="facts"></div><div class="alert" role="alert" hidden></div></div>
  <div class="strip" role="group" aria-label="Filmstrip"></div>
  <div class="curves"><canvas class="chart" role="img" aria-label="Curves"></canvas></div>`

const percent = (p) => {
  if (p > 0.999) return "> 99.9%"
  return p < 0.001 ? "< 0.1%" : `${(100 * p).toFixed(1)}%`
}

const roughly = (p) => {
  if (p > 0.99) return "> 99%"
  return p < 0.01 ? "< 1%" : `${Math.round(100 * p)}%`
}

class Film extends View {
  constructor(parent) {
    super(parent, "ascent", HTML)
    const { get } = this
    Object.assign(this, { film: get(".film"), picture: get(".picture"), chart: get(".chart"),
      facts: get(".facts"), alert: get(".alert"), compare: get(".compare"), split: get(".compare input"),
      strip: get(".strip"), raw: document.createElement("canvas"), image: null, tiles: [], before: null,
      curves: null, packet: null, triggers: 0, times: [], factsAt: 0, colours: null, coloursAt: 0,
      room: this.root.clientWidth })
    this.split.oninput = () => this.paint()
    this.picture.onpointerdown = this.picture.onpointermove = (event) => this.drag(event)
    this.watch = new ResizeObserver(() => {
      this.room = this.root.clientWidth
      this.paint()
      this.paintCurves()
    })
    this.watch.observe(get(".stage"))
    this.feed = new Feed({
      gotPacket: (packet) => this.receive(packet),
      gotStopped: () => this.trigger("stopped", {}),
      gotLost: (long) => { if (long) this.tellLost() },
    })
  }
  update({ data, setTriggerValue }) {
    this.data = data
    this.trigger = (name, value) => setTriggerValue(name, { ...value, n: ++this.triggers })
    this.feed.tell(data)
  }
  end() { this.feed.end(); this.watch.disconnect(); super.end() }
  drag(event) {
    const tile = this.tiles[0]
    if (this.compare.hidden || !(event.buttons & 1) || !tile) return
    const x = placeIn(event, this.picture)[0] * this.picture.width
    this.split.value = Math.round((1000 * (x - tile.x)) / tile.w)
    this.picture.setPointerCapture?.(event.pointerId)
    this.paint()
  }

  // Returns a promise that is kept when the frame is on the canvas.
  receive(packet) {
    if (packet.version !== this.packet?.version) this.times.push(performance.now())
    if (this.times.length > KEPT) this.times.shift()
    this.packet = packet
    const { frame, original, width, height, count, channels } = packet
    if (original) this.before = canvasOf(paintPixels(original, channels, new ImageData(width, height), 255))
    if (!this.data.compare) this.before = null
    if (packet.table) this.curves = packet
    if (packet.strip) {
      const go = (step) => this.trigger("go", { step })
      drawStrip(this.strip, packet.atlas, packet.strip, packet.running, go)
    }
    return new Promise((done) => requestAnimationFrame(() => {
      if (this.image?.width !== width || this.image.height !== height * count)
        this.image = new ImageData(width, height * count)
      show(this.raw, paintPixels(frame, channels, this.image, 255))
      this.paint()
      if (packet.table) this.paintCurves()
      this.tellFacts()
      done()
    }))
  }

  // The theme may change at any time, but reading it makes the browser compute styles.
  theme() {
    const now = performance.now()
    if (!this.colours || now - this.coloursAt > COLOURS_MS) {
      this.coloursAt = now
      this.colours = readTheme(this.root)
    }
    return this.colours
  }

  arrange(room, ratio) {
    const { count, width, height, groups } = this.packet
    const tallest = Math.min(TALLEST, SHARE * window.innerHeight)
    const found = placeTiles({ room: room / ratio, count, groups: groups.length, width, height, tallest,
      captions: this.data.captions, ratio })
    this.narrow = found.narrow
    this.tiles = found.tiles
    this.heads = found.heads
    return found
  }
  paint() {
    if (!this.image) return
    const { packet, picture } = this, ratio = window.devicePixelRatio || 1
    const room = Math.max(120, Math.round(this.room * ratio))
    const { height, smooth } = this.arrange(room, ratio)
    if (resize(picture, room, height)) picture.style.height = `${height / ratio}px`
    const pen = picture.getContext("2d"), colours = this.theme()
    pen.clearRect(0, 0, room, height)
    Object.assign(pen, { imageSmoothingEnabled: smooth, strokeStyle: colours.line })
    this.tiles.forEach((t, i) => {
      pen.drawImage(this.raw, 0, i * packet.height, packet.width, packet.height, t.x, t.y, t.w, t.h)
      pen.strokeRect(t.x + .5, t.y + .5, t.w - 1, t.h - 1)
      if (this.data.captions) this.caption(pen, t, i, ratio)
    })
    this.heads.forEach((place, k) => this.heading(pen, place, packet.groups[k], ratio))
    if (this.compare.hidden !== !this.before) this.compare.hidden = !this.before
    if (this.before) this.reveal(pen, ratio)
  }
  paintCurves() {
    if (this.curves) drawCurves(this.chart, this.curves, this.data.panels, this.theme(), this.room)
  }
  reveal(pen, ratio) {
    const t = this.tiles[0], share = this.split.value / 1000, { before } = this
    const edge = Math.round(t.w * share)
    pen.drawImage(before, 0, 0, before.width * share, before.height, t.x, t.y, edge, t.h)
    pen.fillStyle = "#fff"
    pen.fillRect(t.x + edge - ratio, t.y, 2 * ratio, t.h)
    circle(pen, t.x + edge, t.y + t.h / 2, 9 * ratio)
    pen.fill()
    pen.strokeStyle = "#000"
    pen.stroke()
  }
  heading(pen, { x, y, w }, title, ratio) {
    Object.assign(pen, { fillStyle: this.theme().text, font: `600 ${16 * ratio}px ${this.theme().font}` })
    Object.assign(pen, { textBaseline: "top", textAlign: "left" })
    pen.fillText(title, x, y, w)
  }
  caption(pen, t, i, ratio) {
    const { labels, probabilities, classes } = this.packet, theme = this.theme()
    const y = t.y + t.h, p = probabilities[i], { narrow } = this
    const said = p === null ? "" : narrow ? roughly(p) : percent(p)
    pen.save()
    Object.assign(pen, { fillStyle: theme.text, font: `600 ${15 * ratio}px ${theme.font}` })
    Object.assign(pen, { textBaseline: "top", textAlign: "left" })
    pen.fillText(labels[i], t.x, y + 6 * ratio, t.w - (narrow ? 0 : pen.measureText(said).width + 8))
    if (!narrow) pen.textAlign = "right"
    pen.fillText(said, narrow ? t.x : t.x + t.w, y + (narrow ? 23 : 6) * ratio, t.w)
    if (p !== null) {
      const below = y + (narrow ? 42 : 26) * ratio
      pen.fillStyle = theme.soft
      pen.fillRect(t.x, below, t.w, 5 * ratio)
      pen.fillStyle = colourOf(classes[i], this.curves?.curve_classes ?? classes, theme, this.packet.names)
      pen.fillRect(t.x, below, t.w * p, 5 * ratio)
    }
    pen.restore()
  }
  tellFacts() {
    const { packet, times } = this, now = performance.now()
    const fps = times.length > 1 ? (1000 * (times.length - 1)) / (times.at(-1) - times[0]) : 0
    const { step, version, running } = packet
    Object.assign(this.film.dataset, { step, version, running, fps: fps.toFixed(1) })
    if (running && now - this.factsAt < FACTS_MS) return
    this.factsAt = now
    const number = (x) => x.toLocaleString("en", { maximumSignificantDigits: 3 })
    const parts = [`step <b>${step.toLocaleString("en")}</b>`]
    if (running && packet.steps_per_s) {
      parts.push(`<b>${number(packet.steps_per_s)}</b> steps/s`, `<b>${number(fps)}</b> frames/s`)
    }
    this.facts.innerHTML = `<span class="state ${running ? "on" : ""}">${packet.state}</span>` +
      parts.map((part) => `<span>${part}</span>`).join("")
    this.alert.hidden = !packet.alert
    this.alert.textContent = packet.alert
    if (!running) this.times = []
  }
  tellLost() {
    this.alert.hidden = false
    this.alert.textContent = "No frames arrive from the server. If this doesn't change, reload the page."
  }
}

export default component((parent) => new Film(parent))
