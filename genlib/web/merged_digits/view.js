// All frames are here: the slider chooses one, and every card draws its part of it.
import { clamp, component, fill, Player, View } from "../shared/hand.js"
import { fromText } from "../shared/packet.js"
import { imageOf, show } from "../shared/picture.js"
import { curve, digits, histogram, placeMarks } from "./plots.js"

const WAY_S = 2.5 // from one end to the other
const HTML = `
  <div class="stage">
    <figure><canvas class="pixels merge" role="img"></canvas><figcaption>merge</figcaption></figure>
    <div class="hand"><label for="alpha"><span class="name">Alpha</span><span class="help" tabindex="0">?</span>
        <output></output></label><input id="alpha" class="slider" type="range" step="1" min="0">
      <div class="ends"><span></span><span></span></div>
      <div class="row"><button type="button" class="play">Play</button><span class="why"></span>
        <span class="legend"><i class="real"></i>real digits <i class="merged"></i><b></b> <i class="band"></i>90%
          of real digits</span></div></div>
  </div><div class="cards"></div><p class="more">Tap a model for its histogram and its curve.</p>`
const CARD = `
  <div class="title"><i></i><h3></h3><span class="text"></span></div><div class="pictures"><figure><canvas class="pixels x_hat" role="img"></canvas>
      <figcaption>reconstruction</figcaption></figure>
    <figure><canvas class="pixels residual" role="img"></canvas>
      <figcaption title="reconstruction − merge. Red: ink that the model adds; blue: ink of the merge that it leaves out"
        >residual</figcaption></figure></div><p class="energy"><b></b> <span></span></p><p class="verdict"></p>
  <svg class="histogram" viewBox="0 0 300 114" role="img"></svg>
  <svg class="curve" viewBox="0 0 300 114" role="img"></svg>`

// Grey or colour pixels; with `x` also given, the signed difference pixels - x: red added, blue left out.
const paint = (canvas, [channels, height, width], pixels, x) => {
  const next = channels > 1 ? height * width : 0
  show(canvas, imageOf(width, height, (i) => {
    if (!x) return [pixels[i], pixels[i + next], pixels[i + 2 * next]]
    const difference = pixels[i] - x[i], by = Math.min(255, 1.6 * Math.abs(difference))
    return difference > 0 ? [by, by * 0.4, by * 0.25] : [by * 0.25, by * 0.4, by]
  }))
}

const nearest = (values, x) =>
  values.reduce((best, v, i) => (Math.abs(v - x) < Math.abs(values[best] - x) ? i : best), 0)

class Theatre extends View {
  constructor(parent, data) {
    super(parent, "theatre", HTML)
    Object.assign(this, { seq: data.seq, held: false, slider: this.get("input"), cards: this.get(".cards") })
    this.player = new Player((seconds) => this.step(seconds), (playing) => {
      this.held = playing
      this.get(".play").textContent = playing ? "Stop" : "Play"
    })
    this.slider.oninput = () => { this.player.stop(); this.held = true; this.show() }
    this.slider.onchange = () => { this.held = false; this.rest() }
    this.get(".play").onclick = () => {
      if (this.player.playing) return this.stopHere()
      const at = Number(this.slider.value), last = this.data.alpha.length - 1
      Object.assign(this, { at, way: at >= last ? -1 : 1, turns: 0 })
      this.player.play()
    }
  }
  update({ data, setStateValue }) {
    this.emit = (value) => setStateValue("value", value)
    this.data = data
    this.merges = fromText(data.merges)
    this.xHats = data.cards.map((card) => fromText(card.x_hat))
    this.dress()
    // An answer to an older position must not pull the slider back.
    if (!this.held && data.seq >= this.seq) {
      this.seq = data.seq
      this.slider.value = nearest(data.alpha, data.value)
    }
    this.show()
  }
  end() { this.player.stop(); super.end() }
  rest() { this.emit({ x: this.data.alpha[this.slider.value], seq: ++this.seq, rest: true }) }
  stopHere() { this.player.stop(); this.rest() }

  // There and back once, beginning where the slider is.
  step(seconds) {
    const last = this.data.alpha.length - 1
    this.at += (this.way * last * seconds) / WAY_S
    if (this.way > 0 ? this.at >= last : this.at <= 0) { // the first frame may not move it
      this.at = clamp(this.at, 0, last)
      this.way = -this.way
      this.turns += 1
    }
    this.slider.value = Math.round(this.at)
    this.show()
    if (this.turns === 2) this.stopHere()
  }
  dress() {
    const d = this.data, fixed = Boolean(d.fixed), { slider, cards } = this
    this.get(".help").title = d.help
    this.get(".help").setAttribute("aria-label", d.help)
    slider.max = Math.max(1, d.alpha.length - 1)
    slider.disabled = this.get(".play").disabled = fixed
    this.get(".why").textContent = d.fixed
    this.root.querySelectorAll(".ends span").forEach((end, i) => { end.textContent = d.names[i] })
    while (cards.children.length > d.cards.length) cards.lastChild.remove()
    while (cards.children.length < d.cards.length) {
      const card = cards.appendChild(document.createElement("article"))
      card.innerHTML = CARD
      card.tabIndex = 0 // on a phone the chosen one shows its plots
    }
    this.get(".legend b").textContent = d.merged_name
    d.cards.forEach((card, i) => {
      const part = (selector) => cards.children[i].querySelector(selector)
      part("h3").textContent = card.title
      part(".title i").style.background = card.colour || "transparent"
      part(".text").textContent = card.text
      part(".energy span").textContent = card.unit
      part(".histogram").innerHTML = histogram(card)
      part(".curve").innerHTML = curve(card, d)
    })
  }
  show() {
    const { data: d, slider } = this, t = d.fixed ? 0 : Number(slider.value)
    const size = d.shape.reduce((a, b) => a * b)
    const frame = (all) => all.subarray(t * size, (t + 1) * size)
    this.get("output").textContent = d.fixed ? "" : d.alpha[t].toFixed(2)
    fill(slider)
    paint(this.get(".merge"), d.shape, frame(this.merges))
    this.get(".merge").setAttribute("aria-label", `merge at alpha ${d.alpha[t]}`)
    d.cards.forEach((card, i) => {
      const article = this.cards.children[i], part = (selector) => article.querySelector(selector)
      const xHat = frame(this.xHats[i])
      paint(part(".x_hat"), d.shape, xHat)
      paint(part(".residual"), d.shape, xHat, frame(this.merges))
      part(".energy b").textContent = digits(card.energy[t])
      part(".verdict").textContent = card.verdict[t]
      article.dataset.mood = card.mood[t]
      placeMarks(part, card, d, t)
    })
  }
}

export default component((parent, data) => new Theatre(parent, data))
