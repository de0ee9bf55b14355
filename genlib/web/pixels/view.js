// Replays images pixel by pixel and says what was predicted under the mouse. No traffic, except
// where the mouse rests with "Receptive field" on: then the server computes it.
import { clamp, component, fill, onArrows, placeIn, Player, Rest, View } from "../shared/hand.js"
import { unpack } from "../shared/packet.js"
import { GRID_COLUMNS, LOOKS, nats, paintGrid, paintMain, sigmoid } from "./paint.js"

const FIELD = ["little", "linear-gradient(to right, rgba(255,140,0,.15), rgba(255,140,0,.9))", "much",
  "influence on the prediction; hatched: earlier pixels without influence"]
const HTML = `<div class="sheet">
  <div class="left"><canvas class="main" role="img" aria-label="The image, enlarged" tabindex="0"></canvas>
    <div class="legend"><span class="low"></span><i></i><span class="high"></span>
      <span class="what"></span></div></div><div class="right"><div class="row replay">
      <button type="button" class="play">Play</button>
      <input class="scrub slider" type="range" min="0" step="1" aria-label="Pixels drawn"></div>
    <div class="row replay"><select class="speed" aria-label="Speed">
      <option value="15">15 pixels per second</option><option value="60">60 pixels per second</option>
      <option value="250" selected>250 pixels per second</option>
      <option value="1000">1000 pixels per second</option></select><output></output></div>
    <div class="row"><div class="looks" role="group" aria-label="What to show"></div>
      <label class="fielded" title="Colours the pixels that the prediction of the pixel that you point at or tap depends on"
        ><input type="checkbox" class="field"> Receptive field</label></div></div>
  <div class="readout" aria-live="off"></div>
  <div class="samples"><canvas class="grid" tabindex="0" role="application"
    title="Click one to enlarge it, or use the arrow keys"></canvas></div></div>`

const chance = (p) =>
  p < 1e-4 ? "< 0.0001" : p > 0.9999 ? "> 0.9999" : p.toFixed(p < 0.01 || p > 0.99 ? 4 : 2)

// Nats are always the model's own, of T = 1. Where pixels are drawn at another temperature, every
// number says which one it is of.
const atT = (d, t = d.temperature) => (d.temperature === 1 ? "" : ` at T = ${Number(t.toFixed(2))}`)

const probability = (words, name, p) => `<div class="chance">${words} <b class="${name}">${chance(p)}</b>
        <span class="bar"><i style="width:${(100 * p).toFixed(1)}%"></i></span></div>`

class Pixels extends View {
  constructor(parent) {
    super(parent, "pixels", HTML)
    const { get } = this, main = get(".main")
    Object.assign(this, { at: 0, sample: 0, look: "", place: null, pinned: false, asked: "" })
    this.player = new Player((seconds) => this.step(seconds))
    this.rest = new Rest(() => this.ask())
    for (const [key, look] of Object.entries(LOOKS)) {
      const button = get(".looks").appendChild(document.createElement("button"))
      Object.assign(button, { type: "button", textContent: look.name })
      button.dataset.look = key
      button.onclick = () => { this.look = key; this.show() }
    }
    get(".play").onclick = () => { this.replay(); this.show() }
    get(".scrub").oninput = (event) => {
      this.at = Number(event.target.value)
      this.player.stop()
      this.show()
    }
    get(".field").onchange = () => { this.rest.moved(); this.show() }
    get(".grid").onclick = (event) => this.pickSample(event)
    onArrows(get(".grid"), (right, down) => this.enlarge(this.sample + right + down * this.columns))
    main.onpointermove = (event) => { if (!this.pinned) this.moveTo(this.where(event)) }
    main.onpointerleave = () => { if (!this.pinned) this.moveTo(null) }
    main.onclick = (event) => this.pin(this.where(event))
    onArrows(main, (right, down) => {
      const from = this.place ?? { row: this.height >> 1, column: this.width >> 1 }
      this.pinned = true
      this.moveTo({ row: clamp(from.row + down, 0, this.height - 1),
        column: clamp(from.column + right, 0, this.width - 1) })
    })
  }
  update({ data, setStateValue }) {
    this.emit = (value) => setStateValue("rest", value) // always the newest: older ones are dead
    const d = unpack(data), fresh = d.name !== this.d?.name
    this.d = d
    ;[this.count, this.height, this.width] = d.shape
    this.total = this.height * this.width
    if (fresh) this.begin()
    this.show()
  }
  end() { this.player.stop(); this.rest.cancel(); super.end() }

  // New images: replayed from what was given, unless nothing is to move on this screen.
  begin() {
    const { d, total } = this, still = matchMedia("(prefers-reduced-motion: reduce)").matches
    this.player.stop()
    this.look ||= d.view
    this.sample = Math.min(this.sample, this.count - 1)
    this.at = d.replay && !still ? d.known : total
    this.asked = ""
    Object.assign(this.get(".scrub"), { min: d.known, max: total })
    for (const part of this.root.querySelectorAll(".replay")) part.hidden = !d.replay
    this.get(".samples").hidden = this.count < 2
    if (d.replay && !still) this.replay()
    this.rest.moved()
  }
  replay() {
    if (this.at >= this.total) this.at = this.d.known
    this.exact = this.at
    this.player.toggle()
  }
  step(seconds) {
    this.exact += seconds * Number(this.get(".speed").value)
    this.at = Math.min(this.total, Math.floor(this.exact))
    if (this.at === this.total) this.player.stop()
    this.show()
  }

  // ---- the pixel under the mouse ----
  where(event) {
    const [x, y] = placeIn(event, this.get(".main"))
    const row = Math.floor(y * this.height), column = Math.floor(x * this.width)
    return row >= 0 && row < this.height && column >= 0 && column < this.width ? { row, column } : null
  }
  isHere(place) { return place?.row === this.place?.row && place?.column === this.place?.column }
  moveTo(place) {
    if (this.isHere(place)) return
    this.place = place
    this.rest.moved()
    this.show()
  }

  // A click holds the pixel, another one there lets it go: for fingers, and to look elsewhere.
  pin(place) {
    this.pinned = !(this.pinned && this.isHere(place))
    this.moveTo(place)
    this.show()
  }

  // Asks for the receptive field once the mouse rests; each place of each image only once in a row.
  ask() {
    if (!this.place || !this.get(".field").checked) return
    const wish = { name: this.d.name, sample: this.sample, ...this.place }, text = JSON.stringify(wish)
    if (text === this.asked) return
    this.asked = text
    this.emit(wish)
  }
  pickSample(event) {
    const { columns } = this, rows = Math.ceil(this.count / columns)
    const [x, y] = placeIn(event, this.get(".grid"))
    this.enlarge(clamp(Math.floor(y * rows) * columns + Math.floor(x * columns), 0, this.count - 1))
  }
  get columns() { return Math.min(this.count, GRID_COLUMNS) }
  enlarge(sample) {
    if (sample < 0 || sample >= this.count) return
    this.sample = sample
    this.rest.moved()
    this.show()
  }

  // ---- showing ----
  show() {
    const { d, at, total, place, sample, look, get } = this, lit = d.lit
    const current = get(".field").checked && lit && place && lit[0] === sample && lit[1] === place.row
      && lit[2] === place.column
    const field = current ? { pull: d.pull, seen: d.seen } : null
    const state = { sample, look, drawn: at, place, subject: this.subject, field }
    paintMain(get(".main"), d, state)
    if (this.count > 1) paintGrid(get(".grid"), d, state)
    const which = `All images; number ${sample + 1} of ${this.count} is enlarged. Arrow keys choose another.`
    get(".grid").setAttribute("aria-label", which)
    for (const button of this.root.querySelectorAll(".looks button")) {
      button.setAttribute("aria-pressed", button.dataset.look === look)
    }
    get(".play").textContent = this.player.playing ? "Pause" : at >= total ? "Replay" : "Play"
    get(".scrub").value = at
    get("output").textContent = `${at} of ${total}`
    fill(get(".scrub"))
    this.showLegend(field)
    get(".readout").innerHTML = this.readout()
  }
  showLegend(field) {
    const [low, ramp, high, what] = field ? FIELD
      : LOOKS[this.look].legend || ["", "", "", this.d.known ? "above the orange line: given" : ""]
    const bar = this.get(".legend i")
    this.get(".low").textContent = low
    this.get(".high").textContent = high
    this.get(".what").textContent = what + (this.look === "p" && !field ? atT(this.d) : "")
    bar.style.background = ramp
    bar.hidden = !ramp
  }
  cost(k) {
    const index = this.sample * this.total + k
    return nats(this.d.logits[index], this.d.images[index])
  }
  readout() {
    const { d, at, total, place } = this, index = this.subject, first = this.sample * total
    const ink = d.images[first + index], logit = d.logits[first + index], drawn = index < at
    const p = sigmoid(logit), tempered = sigmoid(logit / d.temperature)
    let spent = 0
    for (let k = 0; k < at; k++) spent += this.cost(k)
    const verb = d.replay ? (index < d.known ? "Given" : "Drawn") : "It is"
    const fact = drawn
      ? `${verb}: <b>${ink ? "ink" : "paper"}</b>, which costs <b>${this.cost(index).toFixed(2)}</b> nats${atT(d, 1)}`
      : place ? "Not drawn yet" : "Next to be drawn"
    const note = this.pinned ? "pinned; click it again to unpin"
      : place ? "" : drawn ? "the most surprising; point at the image or tap it" : ""
    return `<div>Row <b>${Math.floor(index / this.width) + 1}</b>, column <b>${(index % this.width) + 1}</b>
        <span class="dim">${note}</span></div>
      ${probability(`p(ink | ${index} pixels before it)${atT(d, 1)}`, "p", p)}
      ${d.temperature === 1 ? "" : probability(`p(ink)${atT(d)}, as it is drawn`, "tempered", tempered)}
      <div>${fact}</div>
      <div class="dim">−log p${atT(d, 1)} of ${at < total ? `the first ${at} pixels` : "the image"}:
        <b class="spent">${spent.toFixed(1)}</b> nats</div>`
  }

  // The pixel that is spoken of: under the mouse, else the next to be drawn, else the dearest one.
  get subject() {
    const { d, at, total, place } = this
    if (place) return place.row * this.width + place.column
    if (at < total) return at
    let dearest = Math.min(d.known, total - 1)
    for (let k = dearest + 1; k < total; k++) if (this.cost(k) > this.cost(dearest)) dearest = k
    return dearest
  }
}

export default component((parent) => new Pixels(parent))
