// Few labels: a map of digits without colours. Label some, and a classifier colours the rest. The list of
// labels lives here. Where learn.js has the classifier, colours follow at once; the list is also sent
// whole, and the server answers with a guess and a certainty for every point. In a file there is no
// server: the list goes into the link.
import { Gestures } from "../shared/gestures.js"
import { ARROWS, component, NextFrame, View } from "../shared/hand.js"
import { readLink, writeLink } from "../shared/link.js"
import { unpack } from "../shared/packet.js"
import { circle, penFor, resize, strokeLines } from "../shared/picture.js"
import { Plane } from "../shared/plane.js"
import { Wanted } from "../shared/store.js"
import { readTheme } from "../shared/theme.js"
import { LabelList, listOf, textOf } from "./labels.js"
import { leastCertain, LEARNERS, learnersFor, likeliest, scoreOf } from "./learn.js"

const NONE = 255 // no guess yet
const REACH = 14 // a point this near the pointer is meant
const THUMB = 32 // CSS pixels of a labelled digit
const ROOM = 70 // more labelled digits than this are rings
const HTML = `
<div class="bar"><strong class="score" aria-live="polite"></strong><span class="tools">
  <label class="alone" hidden>Classifier <select class="classifier"></select></label>
  <button type="button" class="next" title="The digit to label next, by the rule on the left">Which one next?</button>
  <button type="button" class="undo" title="Undo the last change (Ctrl+Z)">Undo</button>
  <button type="button" class="reset" title="Take all labels away; Undo brings them back">Reset</button>
  <button type="button" class="wrong" aria-pressed="false"
    title="Look at the true classes: cross out each digit that is coloured wrongly">Mistakes</button>
  <button type="button" class="fit" title="Show all points (double-click)">Fit</button></span></div>
<div class="legend" aria-label="Classes and how many labels each has"></div>
<div class="stage"><canvas class="base" tabindex="0" role="application"
    aria-label="Map of digits. Arrow keys go from digit to digit; a number key labels it."></canvas>
  <canvas class="top"></canvas>
  <div class="tip" hidden><canvas width="28" height="28"></canvas><span></span></div>
  <div class="card" role="dialog" aria-label="Label this digit" hidden>
    <canvas width="28" height="28"></canvas><p></p><div class="classes"></div>
    <button type="button" class="remove">No label</button></div></div>`

/** Points whose colour is the classifier's guess, and paler where it is less certain. */
class GuessPlane extends Plane {
  colourOf(label) { return label === NONE ? this.theme.line : super.colourOf(label) }
  faint(i) { this.pen.globalAlpha = this.labels[i] === NONE ? 0.85 : 0.25 + 0.75 * (this.sure[i] / 255) }
  paintDot(i) { this.faint(i); super.paintDot(i) }
  paintThumb(i, size) { this.pen.globalAlpha = 1; super.paintThumb(i, size) }
}

class FewLabels extends View {
  constructor(parent) {
    super(parent, "few-labels", HTML)
    const { get } = this
    Object.assign(this, { stage: get(".stage"), tip: get(".tip"), card: get(".card"), list: new LabelList(),
      revision: -1, over: -1, at: -1, mistakes: false, pictures: new Wanted(), learnable: new Wanted() })
    this.plane = new GuessPlane(get(".base"), () => this.paintTop())
    this.hand = new Gestures(get(".base"), this.plane, {
      hover: (px, py) => { this.pointer = [px, py]; this.hovering.ask() },
      leave: () => this.leave(),
      click: (px, py) => this.click(px, py),
      lasso: () => {},
    })
    get(".base").onkeydown = (event) => this.key(event)
    get(".base").onblur = () => { this.at = this.card.hidden ? -1 : this.at; this.paintTop() }
    this.card.onkeydown = (event) => this.cardKey(event)
    this.hovering = new NextFrame(() => this.hover())
    get(".next").onclick = () => this.goToNext()
    get(".undo").onclick = () => { if (this.list.undo()) this.changed() }
    get(".reset").onclick = () => { this.list.change([]); this.changed() }
    get(".fit").onclick = () => this.plane.fit()
    get(".wrong").onclick = () => {
      this.mistakes = !this.mistakes
      get(".wrong").setAttribute("aria-pressed", this.mistakes)
      this.paintTop()
    }
    get(".remove").onclick = () => this.give(-1)
    get(".classifier").onchange = (event) => { this.data.classifier = event.target.value; this.changed() }
    this.resizing = new ResizeObserver(() => this.resize())
    this.resizing.observe(this.stage)
  }
  update(given) {
    const before = this.data, data = unpack(given.data), { plane } = this
    this.send = given.setStateValue ?? (() => {}) // always the newest: older ones are dead
    this.data = data
    plane.sprites.clear()
    Object.assign(plane, { theme: readTheme(this.root), labels: data.guesses, sure: data.sure })
    if (before?.pictures !== data.pictures) this.take(data.pictures)
    if (data.revision !== this.revision) this.adopt(data, before)
    if (before?.material !== data.material) this.takeMaterial(data.material)
    else if (this.list.pairs.length !== data.answered) this.learn() // an answer to an older list
    this.dress()
    if (!plane.width) this.resize()
    if (before?.space === data.space) return plane.frame.ask()
    plane.following = true
    plane.glide(data.positions, before ? 600 : 1)
  }
  end() {
    this.resizing.disconnect()
    this.hovering.cancel()
    this.plane.frame.cancel()
    this.pictures.stop()
    this.learnable.stop()
    super.end()
  }
  take(name) {
    this.plane.atlas = null
    this.pictures.ask(name, (shared) => {
      this.plane.atlas = shared
      this.plane.frame.ask()
    })
  }
  takeMaterial(name) {
    this.material = null
    this.learnable.ask(name, (shared) => {
      this.material = shared
      if (this.data.alone) this.settle()
      else setTimeout(() => this.rehearse(), 200)
    })
  }
  // Learn once from the labels that are there, or from one: the first click finds compiled code.
  rehearse() {
    const { data, list: { pairs }, material } = this, learner = LEARNERS[data.classifier]
    if (!material || !learner || !learnersFor(material).includes(data.classifier)) return
    const { length } = data.classes, some = pairs.length ? pairs : [[0, 0]]
    scoreOf(learner(material, some, length), material.truth, length, some.length)
  }
  // In a file: what the link says, and what a server would have chosen.
  settle() {
    const { data, material } = this, able = learnersFor(material), link = readLink("few."), select = this.get(".classifier")
    this.get(".alone").hidden = false
    select.replaceChildren(...able.map((name) => new Option(name)))
    data.classifier = [link.classifier, data.classifier, able[0]].find((name) => able.includes(name))
    select.value = data.classifier
    if (link.labels) this.list = new LabelList(listOf(link.labels, data.numbers, data.classes.length))
    this.changed()
  }
  // The server has changed the list: a link, a lesson, a button.
  adopt(data, before) {
    const pairs = Array.from({ length: data.given.length / 2 }, (_, k) => [data.given[2 * k], data.given[2 * k + 1]])
    if (before?.pictures === data.pictures) this.list.change(pairs)
    else this.list = new LabelList(pairs)
    this.revision = data.revision
    this.close()
  }
  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage
    if (width && height) this.plane.resize(width, height)
  }

  // ---- labelling ----
  changed() {
    const { data, list } = this
    this.learn()
    if (data.alone) writeLink("few.", { labels: textOf(list.pairs, data.numbers), classifier: data.classifier })
    this.send("labels", { revision: this.revision, items: list.pairs.map(([row, y]) => [data.numbers[row], y]) })
    this.dress()
    this.plane.frame.ask()
  }
  // What a server would answer, as far as it can be computed here.
  learn() {
    const { data, list: { pairs }, material, plane } = this, classes = data.classes.length
    const learner = LEARNERS[data.classifier]
    if (!material || !learner || !learnersFor(material).includes(data.classifier)) return
    const found = pairs.length ? learner(material, pairs, classes) : null
    Object.assign(data, found ? likeliest(found.pool, classes)
      : { guesses: data.guesses.map(() => NONE), sure: data.sure.map(() => 0) })
    data.answered = pairs.length
    data.score = found ? scoreOf(found, material.truth, classes, pairs.length) : "No label yet: click a digit."
    if (data.alone && found) ({ row: data.suggested, why: data.why } = leastCertain(found.pool, pairs, data.classes))
    Object.assign(plane, { labels: data.guesses, sure: data.sure })
  }
  give(label) {
    const row = this.at
    this.close()
    if (row >= 0 && this.list.set(row, label)) this.changed()
    this.get(".base").focus({ preventScroll: true })
    this.at = row // the keyboard goes on from here
    this.paintTop()
  }
  click(px, py) {
    const found = this.plane.at(px, py, REACH)
    if (found < 0) return this.close()
    this.at = found
    if (!this.data.oracle) return this.open(found)
    this.give(this.list.of(found) < 0 ? this.data.truth[found] : -1)
    this.at = -1
  }
  goToNext() {
    const { suggested } = this.data
    if (suggested < 0) return
    const [x, y] = this.plane.placeOf(suggested), { width, height } = this.plane
    if (x < 20 || y < 20 || x > width - 20 || y > height - 20) this.plane.fit()
    this.at = suggested
    this.open(suggested)
  }
  open(row) {
    const { card, plane, data } = this, [px, py] = plane.placeOf(row), given = this.list.of(row)
    this.tip.hidden = true
    this.copy(card.querySelector("canvas"), row)
    card.querySelector("p").textContent = row === data.suggested && data.why ? data.why : this.guessText(row)
    this.get(".remove").hidden = given < 0
    for (const [k, button] of [...this.get(".classes").children].entries()) {
      button.setAttribute("aria-pressed", k === given)
    }
    card.hidden = false
    const { offsetWidth: w, offsetHeight: h } = card
    card.style.left = `${Math.max(4, px + w + 24 < plane.width ? px + 20 : px - w - 20)}px`
    card.style.top = `${Math.max(4, Math.min(plane.height - h - 4, py - h / 2))}px`
    this.get(".classes").children[Math.max(given, 0)]?.focus({ preventScroll: true })
    this.paintTop()
  }
  close() {
    this.card.hidden = true
    this.at = -1
    this.paintTop()
  }

  // ---- keys ----
  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") return this.act(event, () => this.get(".undo").click())
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const by = ARROWS[event.key]
    if (by) return this.act(event, () => this.walk(...by))
    if (event.key === "Enter" && this.at >= 0) return this.act(event, () => this.open(this.at))
    if (this.at >= 0 && this.labelKey(event)) return
    if ("+-=".includes(event.key)) this.hand.key(event)
  }
  cardKey(event) {
    if (event.key === "Escape") return this.act(event, () => { this.close(); this.get(".base").focus() })
    this.labelKey(event)
  }
  // A number key labels where the classes are numbered.
  labelKey(event) {
    const label = this.data.classes.indexOf(event.key)
    if (label >= 0) this.act(event, () => this.give(label))
    return label >= 0
  }
  act(event, does) {
    event.preventDefault()
    event.stopPropagation()
    does()
  }
  walk(right, down) {
    this.at = this.plane.neighbour(this.at, right, down)
    this.showTip(this.at)
    this.paintTop()
  }

  // ---- what is under the pointer ----
  hover() {
    if (!this.pointer || !this.card.hidden) return
    this.over = this.plane.at(...this.pointer, REACH)
    this.showTip(this.over)
    this.paintTop()
  }
  leave() {
    this.pointer = null
    this.over = -1
    this.tip.hidden = true
    this.paintTop()
  }
  showTip(row) {
    const { tip, plane } = this
    tip.hidden = row < 0 || !plane.atlas
    if (tip.hidden) return
    this.copy(tip.querySelector("canvas"), row)
    tip.querySelector("span").textContent = this.guessText(row)
    const [px, py] = plane.placeOf(row)
    tip.style.left = `${px + 150 < plane.width ? px + 18 : px - 142}px`
    tip.style.top = `${py + 190 < plane.height ? py + 18 : Math.max(2, py - 188)}px`
  }
  guessText(row) {
    const { classes, guesses, sure, truth } = this.data, label = this.list.of(row)
    const what = label >= 0 ? `labelled ${classes[label]}`
      : guesses[row] === NONE ? "no label yet" : `guess: ${classes[guesses[row]]} (${Math.round(sure[row] / 2.55)}%)`
    return this.mistakes ? `${what}, truly ${classes[truth[row]]}` : what
  }
  copy(canvas, row) {
    if (!this.plane.atlas) return
    const { sheet, columns, side } = this.plane.atlas
    resize(canvas, side, side)
    const x = (row % columns) * side, y = Math.floor(row / columns) * side
    canvas.getContext("2d").drawImage(sheet, x, y, side, side, 0, 0, side, side)
  }

  // ---- the bar ----
  dress() {
    const { data, list, plane, get } = this, counts = list.counts(data.classes.length)
    const asked = list.pairs.length === data.answered
    get(".score").textContent = asked ? data.score : "…"
    this.root.dataset.labels = list.pairs.length
    get(".undo").disabled = !list.past.length && !list.pairs.length
    get(".reset").disabled = !list.pairs.length
    get(".next").disabled = data.suggested < 0
    const chip = (name, k) => {
      const made = document.createElement("span")
      made.innerHTML = "<i></i>"
      made.firstChild.style.background = plane.colourOf(k)
      made.append(`${name}: ${counts[k]}`)
      made.classList.toggle("none", !counts[k])
      return made
    }
    get(".legend").replaceChildren(...data.classes.map(chip))
    const button = (name, k) => {
      const made = document.createElement("button")
      made.type = "button"
      made.textContent = name
      made.style.setProperty("--class", plane.colourOf(k))
      made.onclick = () => this.give(k)
      return made
    }
    if (this.card.hidden) get(".classes").replaceChildren(...data.classes.map(button))
  }

  // ---- labelled digits, mistakes, and the one that is meant ----
  paintTop() {
    const { plane, data } = this
    if (!data || !plane.width || !plane.theme) return
    const pen = penFor(this.get(".top"), plane.width, plane.height)
    pen.clearRect(0, 0, plane.width, plane.height)
    if (this.mistakes) this.paintMistakes(pen)
    for (const [row, label] of this.list.pairs) this.paintLabelled(pen, row, label)
    const meant = this.at >= 0 ? this.at : this.over
    if (meant < 0) return
    Object.assign(pen, { strokeStyle: plane.theme.text, lineWidth: 2.5 })
    circle(pen, ...plane.placeOf(meant), Math.max(9, plane.thumb * 0.8))
    pen.stroke()
  }
  paintMistakes(pen) {
    const { plane, data } = this
    Object.assign(pen, { strokeStyle: plane.theme.text, lineWidth: 1.6 })
    data.guesses.forEach((guess, i) => {
      if (guess === NONE || guess === data.truth[i]) return
      const [x, y] = plane.placeOf(i)
      strokeLines(pen, [x - 4, y - 4, x + 4, y + 4], [x - 4, y + 4, x + 4, y - 4])
    })
  }
  paintLabelled(pen, row, label) {
    const { plane } = this, [x, y] = plane.placeOf(row), colour = plane.colourOf(label)
    if (!plane.atlas || this.list.pairs.length > ROOM) {
      Object.assign(pen, { fillStyle: colour, strokeStyle: plane.theme.text, lineWidth: 2 })
      circle(pen, x, y, 6)
      pen.fill()
      return pen.stroke()
    }
    const { sheet, columns, side } = plane.atlas, half = THUMB / 2
    pen.imageSmoothingEnabled = THUMB * plane.dpr < side
    pen.drawImage(sheet, (row % columns) * side, Math.floor(row / columns) * side, side, side,
      x - half, y - half, THUMB, THUMB)
    Object.assign(pen, { strokeStyle: colour, lineWidth: 4 })
    pen.strokeRect(x - half - 1, y - half - 1, THUMB + 2, THUMB + 2)
    Object.assign(pen, { fillStyle: colour, font: "700 14px sans-serif", textAlign: "center", lineWidth: 4 })
    pen.strokeStyle = plane.theme.ground
    const name = this.data.classes[label]
    pen.strokeText(name, x, y - half - 5)
    pen.fillText(name, x, y - half - 5)
  }
}

export default component((parent) => new FewLabels(parent))
