// A GAN in the plane that trains while one watches. A worker computes, this draws; the server idles.
import { clamp, component, onDrag, placeIn } from "../shared/hand.js"
import { readFile } from "../shared/csv.js"
import { lineChart, written } from "../shared/learn/chart.js"
import { Desk, DIALOG, REPLAY, SETTINGS, sheetOf, STEPS, TRANSPORT } from "../shared/learn/desk.js"
import { undecided } from "../shared/learn/losses.js"
import { readLog } from "../shared/learn/settings.js"
import { stay } from "../shared/stay.js"
import { script } from "./code.js"
import { FIELDS, intoPlane, MOST_POINTS } from "./fields.js"
import { across, coloursOf, down, Ground, paint, placeAt } from "./paint.js"
import { PRESETS } from "./presets.js"
import { CELLS, REACH, study } from "./study.js"
import { DRAWN } from "./targets.js"

const LAYERS = { colour: "D's belief", mesh: "G's mesh", real: "Data", forged: "Samples", arrows: "Arrows" }
const APART = 0.04 // between two drawn points
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }
const HTML = `
  <div class="bar">${TRANSPORT}</div>
  <div class="picture"><canvas tabindex="0" role="img"></canvas><p class="here" hidden></p>${REPLAY}
    <p class="problem" role="alert" hidden></p></div>
  <div class="side"><dl><div><dt></dt><dd class="covered"></dd></div><div><dt>On target</dt><dd class="close"></dd></div>
      <div><dt>Spread</dt><dd class="spread"></dd></div>${STEPS}</dl>
    <svg class="losses" viewBox="0 0 300 110" role="img" aria-label="Losses"></svg>
    <svg class="cover" viewBox="0 0 300 110" role="img" aria-label="Coverage"></svg>
    <label class="example">Try <select class="preset"><option value="">an example</option></select></label>
    <p class="reason" aria-live="polite"></p></div>
  <details class="more">${SETTINGS}<div class="layers"></div>
    <div class="files"><button class="code">As code</button><button class="clear">Clear points</button><label class="file"
      >CSV file<input type="file" accept=".csv,.tsv,.txt,text/csv"></label></div></details>${DIALOG}`

class Plane extends Desk {
  constructor(parent, data) {
    super(parent, "gan-plane", HTML, {
      prefix: "gan_plane.", fields: FIELDS, study, script, file: "gan_plane.py",
      worker: data.worker ?? new URL("worker.js", import.meta.url),
    })
    Object.assign(this, { frames: 0, hidden: new Set(), ground: new Ground(), at: null, canvas: this.get("canvas") })
    this.get(".clear").onclick = () => this.begin({ ...this.settings, data: DRAWN, points: [] })
    this.get(".file input").onchange = (event) => this.readFile(event.target)
    stay(this.get(".picture"))
    this.lists()
    this.hands()
    this.start()
  }
  lists() {
    const preset = this.get(".preset")
    PRESETS.forEach(({ title }, i) => preset.add(new Option(title, i)))
    preset.onchange = () => { if (preset.value) this.show(PRESETS[preset.value]); preset.value = "" }
    for (const [name, title] of Object.entries(LAYERS)) {
      const label = this.get(".layers").appendChild(document.createElement("label"))
      const box = label.appendChild(document.createElement("input"))
      Object.assign(box, { type: "checkbox", name })
      box.onchange = () => { this.hidden[box.checked ? "delete" : "add"](name); this.write() }
      label.append(title)
    }
  }
  hands() {
    const { canvas } = this
    onDrag(canvas, (left, top) => this.touch(left, top), () => this.settings.data !== DRAWN)
    const dragged = canvas.onpointermove
    canvas.onpointermove = (event) => { this.at = placeAt(...placeIn(event, canvas)); dragged(event) }
    canvas.onpointerleave = () => { this.at = null }
    canvas.onpointerup = () => { if (this.drawn) this.begin(this.settings) }
    canvas.onkeydown = (event) => {
      const by = ARROWS[event.key]
      if (by) this.at = [0, 1].map((i) => clamp((this.at?.[i] ?? 0) + 0.1 * by[i], -REACH, REACH))
      else if (event.key === "Enter" && this.at && this.settings.data === DRAWN) {
        this.add(this.at)
        if (this.drawn) this.begin(this.settings)
      } else return
      event.preventDefault()
    }
  }
  // Points are drawn while the pointer is down; where it comes up, training begins again.
  touch(left, top) {
    this.at = placeAt(clamp(left), clamp(top))
    if (this.settings.data === DRAWN) this.add(this.at)
  }
  add([x, y]) {
    const { points } = this.settings
    if (points.length >= MOST_POINTS) return this.complain(`There are ${MOST_POINTS} points, the most that a link can hold.`)
    if (points.some((p) => Math.hypot(p[0] - x, p[1] - y) < APART)) return
    this.settings = { ...this.settings, points: [...points, [x, y]] }
    this.drawn = true
  }
  show({ settings, log = "", reason }) {
    const start = Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, field.start]))
    this.begin({ ...start, ...settings }, readLog(FIELDS, log))
    this.get(".reason").textContent = reason
    this.run(true)
  }

  // ------------------------------------------------------------------------------------- for the desk
  begin(settings, log, write) {
    this.complain("")
    this.drawn = false // since it began
    const empty = settings.data === DRAWN && !settings.points.length
    this.get(".reason").textContent =
      empty ? "Draw on the picture, or open a CSV file: G will learn where your points are." : ""
    super.begin(settings, log, write)
    this.canvas.style.touchAction = settings.data === DRAWN ? "none" : "pan-y"
  }
  take(link) {
    this.hidden = new Set((link.hide ?? "mesh").split("-"))
    for (const box of this.root.querySelectorAll(".layers input")) box.checked = !this.hidden.has(box.name)
  }
  extra() {
    const hide = [...this.hidden].filter((name) => name in LAYERS).join("-")
    return { hide: hide === "mesh" ? null : hide || "0" }
  }
  // Colours cost a third of the frame, so every other one has new ones.
  ask() { return { colour: this.frames++ % 2 === 0 || !this.running } }
  heard({ belief }) { if (belief) Object.assign(this, { belief, fresh: true }) }
  paint(last, theme) {
    const { pen, width } = sheetOf(this.canvas)
    if (this.fresh) this.ground.paint(this.belief, theme)
    this.fresh = false
    const { data, points } = this.settings
    // While points are being drawn they stand for the data.
    const shown = data === DRAWN ? { ...last.shown, real: Float32Array.from(points.flat()) } : last.shown
    paint(pen, width, shown, this.hidden, theme, this.ground)
    this.cross(pen, width, theme)
    this.numbers(last, theme)
  }
  cross(pen, side, theme) {
    const here = this.get(".here")
    here.hidden = !this.at || !this.belief
    if (here.hidden) return
    const [x, y] = this.at, cell = (v) => clamp(Math.floor(((v / REACH + 1) / 2) * CELLS), 0, CELLS - 1)
    const belief = this.belief[cell(y) * CELLS + cell(x)]
    here.textContent = `x = (${written(x)}, ${written(y)}), D(x) = ${belief.toFixed(2)}`
    pen.strokeStyle = theme.text
    pen.strokeRect(across(x, side) - 4, down(y, side) - 4, 8, 8)
  }
  numbers(last, theme) {
    const { step, dSteps, shown: { measures: m }, rate, history, dLoss, gLoss } = last
    this.say("dt", m.modes ? "Modes" : "Covered")
    this.say(".covered", m.modes ? `${m.covered} of ${m.modes}` : `${Math.round(100 * m.covered)}%`)
    this.say(".close", `${Math.round(100 * m.close)}%`)
    this.say(".spread", `${m.spread.toFixed(2)} ×`)
    this.countSteps(last)
    this.get(".step").title = rate ? `${Math.round(rate)} steps per second` : ""
    this.canvas.setAttribute("aria-label", `Step ${step}, ${this.get(".covered").textContent} covered`)
    const key = `${step} ${dSteps} ${history.length} ${this.settings.loss} ${theme.text}`
    if (this.charted === key || (this.running && this.frames % 6)) return
    this.charted = key
    const { real, forged } = coloursOf(theme), steps = history.map((entry) => entry[0])
    const of = (i) => history.map((entry) => entry[i]), now = (loss) => (Number.isNaN(loss) ? "" : written(loss))
    const marks = undecided(this.settings.loss), low = Math.min(...marks, ...of(2)) < 0 ? -1.5 : 0
    this.get(".losses").innerHTML = lineChart({ steps, low, high: 2.5, marks, lines: [
      { name: `D's loss ${now(dLoss)}`, colour: real, values: of(1) },
      { name: `G's ${now(gLoss)}`, colour: forged, values: of(2) },
    ] })
    this.get(".cover").innerHTML = lineChart({ steps, low: 0, high: 1, lines: [
      { name: "Covered", colour: theme.text, values: of(3) }, { name: "On target", colour: theme.link, values: of(4) },
    ] })
  }

  // ------------------------------------------------------------------------------------------- files
  complain(text) {
    this.get(".problem").hidden = !text
    this.get(".problem").textContent = text
  }
  async readFile(input) {
    const [file] = input.files
    input.value = ""
    if (!file) return
    try {
      const { points } = await readFile(file)
      this.begin({ ...this.settings, data: DRAWN, points: intoPlane(points) })
      this.get(".reason").textContent = `${Math.min(points.length, MOST_POINTS)} of ${points.length} points of the file, `
        + "moved into the plane."
    } catch (error) {
      this.get(".reason").textContent = ""
      this.complain(error.message)
    }
  }
}

export default component((parent, data) => new Plane(parent, data ?? {}))
