// The latent pad: a bank of sliders, a 2-D pad and the decoded picture.
//
// hand -> z -> next animation frame: decode here, paint.  Nothing goes to the server meanwhile.
// After a rest the server is told z once.  Where the decoder is too large for the browser, z goes to
// the server instead, newest only, at most one request under way.
import { clamp, component, NextFrame, onArrows, Player, Rest, View } from "../shared/hand.js"
import { fromText } from "../shared/packet.js"
import { paintPixels, show } from "../shared/picture.js"
import { Wanted } from "../shared/store.js"
import { readTheme } from "../shared/theme.js"
import { Meter } from "./meter.js"
import { Square } from "./square.js"

const WATCHDOG_MS = 400 // a rerun from elsewhere can swallow a request: then ask again
const LEG_S = 1.6 // of a walk
const SLIDES = [-1, 5] // the place that the lecture's slides decode
const SHOWN = { wide: 24, narrow: 8 } // sliders before the rest is folded away
const NARROW = "(max-width: 820px)" // as in style.css: one slider a line
const HTML = `
  <div class="look"><canvas class="picture" role="img" aria-label="Decoded picture"></canvas></div>
  <div class="plane" data-control><canvas class="pad" tabindex="0" role="application"
    aria-label="Two latents as a plane: drag, or use the arrow keys"></canvas></div>
  <div class="side"><div class="buttons"><button class="random" title="Draw z at random">Random</button>
      <button class="reset" title="Back to where this started">Reset</button>
      <button class="walk" title="Wander between random places" aria-pressed="false">Walk</button></div>
    <div class="selects">
      <label>across <select class="across"></select></label><label>up <select class="up"></select></label>
      <label class="tiling" hidden><input type="checkbox" class="tiles"> pictures</label></div>
    <div class="legend" hidden></div><div class="path"></div><div class="meter" hidden></div></div>
  <div class="bank"><div class="exact" hidden></div><div class="rows"></div>
    <details hidden><summary></summary><div class="rows more"></div></details></div>`

class LatentPad extends View {
  constructor(parent) {
    super(parent, "latent-pad", HTML)
    const { get } = this
    Object.assign(this, { model: null, version: null, z: new Float32Array(0), seq: 0, rows: [], fields: [],
      classes: [], plane: "", wanted: new Wanted() })
    this.frame = new NextFrame(() => this.draw())
    this.rest = new Rest(() => this.tell(Array.from(this.z, (v) => Number(v.toFixed(4)))))
    this.walk = new Player((seconds) => this.wander(seconds), (playing) => {
      get(".walk").setAttribute("aria-pressed", String(playing))
      if (!playing && !this.gone) this.moved()
    })
    this.meter = new Meter(get(".meter"), () => this.facts())
    this.square = new Square(get("canvas.pad"), (u, v) => {
      const [x, y] = this.axes
      this.z[x.i] = x.low + u * (x.high - x.low)
      this.z[y.i] = y.low + v * (y.high - y.low)
      this.moved()
    })
    get(".random").onclick = () => this.byHand(this.random())
    get(".reset").onclick = () => this.byHand(this.home)
    get(".walk").onclick = () => {
      Object.assign(this, { from: Float32Array.from(this.z), to: this.random(), share: 0 })
      this.walk.toggle()
    }
    get(".across").onchange = get(".up").onchange = get(".tiles").onchange = () => this.drawPlane()
  }
  update({ data, setStateValue, setTriggerValue }) {
    this.tell = (z) => setStateValue?.("rest", { z, version: this.version })
    this.ask = setTriggerValue ? (want) => setTriggerValue("want", want) : null
    this.theme = readTheme(this.root)
    this.server = data.path === "server"
    this.classes = data.classes ?? []
    if (this.model !== data.name) this.open(data)
    if (this.version !== data.version) {
      // Only a new version moves the sliders: an answer to an older z must not pull them back. The first
      // is what the page was drawn with; later ones are told back, so that its other panels follow.
      const later = this.version !== null
      this.version = data.version
      this.home = Float32Array.from(data.z)
      if (later) this.byHand(this.home)
      else this.z.set(this.home)
    }
    if (this.server && data.frame) this.showAnswer(data)
    this.drawPlane()
  }
  end() {
    super.end()
    this.walk.stop()
    this.rest.cancel()
    this.frame.cancel()
    this.meter.end()
    this.wanted.stop()
    clearTimeout(this.watchdog)
  }
  open(data) {
    const { dims, shape: [channels, height, width] } = data
    Object.assign(this, { model: data.name, dims, channels, shared: null, decoder: null, version: null,
      image: new ImageData(width, height), z: new Float32Array(dims.length), inFlight: 0 })
    this.walk.stop()
    show(this.get(".picture"), this.image)
    this.fillBank()
    // Two latents are the whole space: the plane is the main picture, of pictures.
    this.root.classList.toggle("two", dims.length === 2)
    this.get(".tiles").checked = dims.length === 2
    this.fillExact()
    const options = dims.map(({ label }, k) => `<option value="${k}">${label}</option>`).join("")
    // Two latents are a map: z1 to the right, z2 upwards. Of more, the two that matter most.
    const second = Math.min(1, dims.length - 1)
    const first = dims.length === 2 && dims[0].i === 1 ? [second, 0] : [0, second]
    for (const [n, name] of [".across", ".up"].entries()) {
      this.get(name).innerHTML = options
      this.get(name).value = first[n]
    }
    this.wanted.ask(data.name, (shared) => {
      this.shared = shared
      this.decoder = shared.decoder
      this.get(".tiling").hidden = !(this.decoder && dims.length === 2)
      this.drawPlane()
    })
  }
  fillBank() {
    const { dims } = this, more = this.get("details"), [rows, moreRows] = this.root.querySelectorAll(".rows")
    const shown = dims.filter((d) => d.active).slice(0, matchMedia(NARROW).matches ? SHOWN.narrow : SHOWN.wide)
    const folded = dims.filter((d) => !shown.includes(d))
    const most = Math.max(...dims.map((d) => d.weight), 1e-9)
    this.rows = [...shown, ...folded].map((d) => this.row(d, most))
    const elements = this.rows.map((row) => row.element)
    rows.replaceChildren(...elements.slice(0, shown.length))
    moreRows.replaceChildren(...elements.slice(shown.length))
    const idle = folded.filter((d) => !d.active).length
    more.hidden = !folded.length
    more.querySelector("summary").textContent = idle === folded.length
      ? `${idle} with almost no effect` : `${folded.length} more${idle ? ` (${idle} of them with almost no effect)` : ""}`
  }
  row(d, most) {
    const element = document.createElement("label")
    element.innerHTML = `<span class="name">${d.label}</span>
      <input type="range" min="${d.low}" max="${d.high}" step="any" aria-label="Latent ${d.label}">
      <output></output><span class="share" style="width:${Math.round((100 * d.weight) / most)}%"></span>`
    element.title = `${d.label}: ${d.note}. Double-click: back to the mean.`
    const input = element.querySelector("input"), output = element.querySelector("output")
    const set = (value) => {
      this.walk.stop()
      this.z[d.i] = value
      this.moved()
    }
    input.oninput = () => set(Number(input.value))
    input.ondblclick = () => set(d.mean)
    // step=any steps by too little for arrow keys, which should cross the range in a hundred.
    onArrows(input, (right, down) =>
      set(clamp(this.z[d.i] + ((right - down) * (d.high - d.low)) / 100, d.low, d.high)))
    return { d, element, input, output }
  }

  // Fields for exact numbers, and the slides' place where the model reaches it; of two latents only.
  fillExact() {
    const exact = this.get(".exact"), dims = this.dims.toSorted((a, b) => a.i - b.i)
    exact.hidden = dims.length !== 2
    exact.replaceChildren()
    this.fields = []
    if (exact.hidden) return
    this.fields = dims.map((d) => {
      const label = document.createElement("label"), input = document.createElement("input")
      Object.assign(input, { type: "number", step: 0.1, ariaLabel: `${d.label} as a number` })
      input.onchange = () => {
        if (!Number.isFinite(input.valueAsNumber)) return
        this.byHand(this.z.with(d.i, input.valueAsNumber))
      }
      label.append(`${d.label} =`, input)
      return { d, label, input }
    })
    exact.append(...this.fields.map(({ label }) => label))
    if (!dims.every(({ low, high }, k) => low <= SLIDES[k] && SLIDES[k] <= high)) return
    const slides = document.createElement("button")
    Object.assign(slides, { title: "The place that the slides decode", textContent: `z = (${SLIDES.join(", ")})`,
      onclick: () => this.byHand(Float32Array.from(SLIDES)) })
    exact.append(slides)
  }
  showLegend(tiles) {
    const legend = this.get(".legend"), { labels } = this.shared ?? {}
    legend.hidden = Boolean(tiles) || !labels?.length || !this.classes.length
    if (legend.hidden) return
    const there = [...new Set(labels)].sort((a, b) => a - b)
    legend.replaceChildren(...there.map((k) => {
      const name = document.createElement("span"), dot = document.createElement("i")
      dot.style.background = this.theme.classes[k % this.theme.classes.length]
      name.append(dot, this.classes[k] ?? String(k))
      return name
    }))
  }
  get axes() { return [".across", ".up"].map((name) => this.dims[this.get(name).value]) }

  // ---- what moves z ----
  byHand(z) {
    this.walk.stop()
    this.z.set(z)
    this.moved()
  }
  moved() {
    this.meter.moved()
    this.frame.ask()
    if (!this.walk.playing) this.rest.moved()
  }

  // A place of the kind the model knows: N(mean, std) of the codes, or the prior N(0, 1), as far as the
  // sliders go: they would show another number than the picture.
  random() {
    const z = new Float32Array(this.dims.length)
    for (const d of this.dims) {
      const radius = Math.sqrt(-2 * Math.log(1 - Math.random()))
      const value = d.mean + d.std * radius * Math.cos(2 * Math.PI * Math.random())
      z[d.i] = clamp(value, d.low, d.high)
    }
    return z
  }
  wander(seconds) {
    this.share += seconds / LEG_S
    if (this.share >= 1) Object.assign(this, { from: this.to, to: this.random(), share: 0 })
    const t = this.share, eased = t * t * (3 - 2 * t) // rests a little at every stop
    for (let i = 0; i < this.z.length; i++) this.z[i] = this.from[i] + eased * (this.to[i] - this.from[i])
    this.moved()
  }

  // ---- painting ----
  draw() {
    const start = performance.now()
    if (this.server) this.askServer()
    else if (this.decoder) this.show(this.decoder.decode(this.z))
    this.square.draw(this.z, ...this.axes, this.theme)
    for (const row of this.rows) {
      const value = this.z[row.d.i]
      if (row.shown === value) continue
      row.shown = value
      if (Number(row.input.value) !== value) row.input.value = value
      row.output.textContent = value.toFixed(2)
    }
    for (const { d, input } of this.fields) {
      const text = this.z[d.i].toFixed(2)
      if (Number(input.value) !== Number(text) || input.value === "") input.value = text
    }
    this.get(".path").textContent = this.server ? "decoded on the server"
      : this.decoder ? "decoded in your browser" : "waiting for the decoder"
    if (!this.server) this.meter.count(start)
  }
  show(pixels, white) {
    show(this.get(".picture"), paintPixels(pixels, this.channels, this.image, white))
  }

  // What lies behind the handle; only where it is no longer what is drawn.
  drawPlane() {
    this.frame.ask()
    const { square, decoder, theme, dims } = this, [x, y] = this.axes
    const tiles = this.get(".tiles").checked && decoder && dims.length === 2
    const plane = [this.model, x.i, y.i, tiles, Boolean(this.shared), theme.ground].join()
    if (this.plane === plane) return
    this.plane = plane
    this.showLegend(tiles)
    square.drawDots(this.shared, dims.length, x, y, theme)
    if (!tiles || x === y) return
    const wanted = () => this.plane === plane && !this.gone
    square.drawTiles(decoder, x, y, wanted, () => square.draw(this.z, ...this.axes, this.theme))
  }

  // ---- a decoder on the server ----
  askServer() {
    if (!this.ask || this.asked === String(this.z)) return
    if (this.inFlight) return // the answer to the one under way asks again with the newest z
    this.asked = String(this.z)
    this.inFlight = ++this.seq
    this.askedAt = performance.now()
    this.ask({ seq: this.seq, z: Array.from(this.z) })
    clearTimeout(this.watchdog)
    this.watchdog = setTimeout(() => {
      this.inFlight = 0
      this.asked = null
      this.frame.ask()
    }, WATCHDOG_MS)
  }
  showAnswer({ seq, frame }) {
    if (seq === this.shownSeq) return
    this.shownSeq = seq
    this.show(fromText(frame), 255)
    if (!this.inFlight || seq !== this.inFlight) return // e.g. the first picture, sent unasked
    clearTimeout(this.watchdog)
    this.inFlight = 0
    this.meter.count(this.askedAt)
  }
  facts() {
    const { decoder } = this, path = this.server ? "server" : "browser"
    if (!decoder) return [path]
    const mega = (n) => (n / 1e6).toFixed(2)
    return [path, `${mega(decoder.size)} MB, ${mega(decoder.macs)} M multiply-adds`]
  }
}

export default component((parent) => new LatentPad(parent))
