// A GAN in the plane that trains while one watches. A worker computes, this draws; the server idles.
import { clamp, component, markPlaying, onDrag, placeIn, View } from "../shared/hand.js"
import { lineChart } from "../shared/learn/chart.js"
import { panelOf } from "../shared/learn/panel.js"
import { Session, SLOW } from "../shared/learn/session.js"
import { linkOf, logText, readLog, readSettings } from "../shared/learn/settings.js"
import { trainerOf } from "../shared/learn/trainer.js"
import { readLink, writeLink } from "../shared/link.js"
import { readTheme } from "../shared/theme.js"
import { script } from "./code.js"
import { readPoints } from "../shared/csv.js"
import { FIELDS, intoPlane, MOST_POINTS } from "./fields.js"
import { across, coloursOf, down, Ground, paint, placeAt } from "./paint.js"
import { PRESETS } from "./presets.js"
import { CELLS, REACH, study } from "./study.js"
import { DRAWN } from "./targets.js"

const PREFIX = "gan_plane."
const SPEEDS = { full: Infinity, "100 steps/s": 100, "10 steps/s": 10, "slow motion": SLOW }
const LAYERS = { colour: "D's belief", mesh: "G's mesh", real: "Data", forged: "Samples", arrows: "Arrows" }
const APART = 0.04 // between two drawn points
const HTML = `
  <div class="bar"><button class="play primary">Play</button><button class="d">Step D</button><button class="g"
    >Step G</button><button class="rewind" title="The same first weights, batches and noise">Rewind</button>
    <label>Speed <select class="speed"></select></label></div>
  <div class="picture"><canvas tabindex="0" role="img"></canvas><p class="here" hidden></p></div>
  <div class="side"><dl><div><dt></dt><dd class="covered"></dd></div><div><dt>On target</dt><dd class="close"></dd></div>
      <div><dt>Spread</dt><dd class="spread"></dd></div><div><dt>Step</dt><dd class="step"></dd></div></dl>
    <svg class="losses" viewBox="0 0 300 110" role="img" aria-label="Losses"></svg>
    <svg class="cover" viewBox="0 0 300 110" role="img" aria-label="Coverage"></svg>
    <label class="example">Try <select class="preset"><option value="">an example</option></select></label>
    <p class="reason" aria-live="polite"></p></div>
  <details class="more"><summary>Settings</summary><div class="fields"></div><div class="layers"></div>
    <div class="files"><button class="clear">Clear points</button><label class="file">CSV file<input type="file"
      accept=".csv,.tsv,.txt,text/csv"></label><button class="code">As code</button></div>
    <p class="problem" role="alert" hidden></p></details>
  <dialog><div class="bar"><button class="copy">Copy</button><a class="save" download="gan_plane.py">Download</a>
    <button class="close-code" aria-label="Close">✕</button></div><pre tabindex="0"></pre></dialog>`

class Plane extends View {
  constructor(parent, data) {
    super(parent, "gan-plane", HTML)
    Object.assign(this, { running: false, asked: false, frames: 0, hidden: new Set(), ground: new Ground(), at: null })
    this.canvas = this.get("canvas")
    this.pen = this.canvas.getContext("2d")
    this.trainer = trainerOf({
      address: data.worker ?? new URL("worker.js", import.meta.url),
      here: (post) => new Session(study, post),
      hear: (message) => this.hear(message),
    })
    this.fill = panelOf(this.get(".fields"), FIELDS, (name, value) => this.change({ [name]: value }))
    this.buttons()
    this.hands()
    this.get("details").open = innerWidth > 820
    this.away = () => this.open()
    addEventListener("popstate", this.away)
    this.open()
    this.frame = requestAnimationFrame(() => this.draw())
  }
  update() {}
  end() {
    cancelAnimationFrame(this.frame)
    removeEventListener("popstate", this.away)
    this.trainer.end()
    super.end()
  }

  buttons() {
    const on = (selector, act) => { this.get(selector).onclick = act }
    on(".play", () => this.run(!this.running))
    on(".d", () => this.step("d"))
    on(".g", () => this.step("g"))
    on(".rewind", () => this.begin(this.settings))
    on(".clear", () => this.begin({ ...this.settings, data: DRAWN, points: [] }))
    on(".code", () => this.showCode())
    on(".close-code", () => this.get("dialog").close())
    on(".copy", async () => {
      await navigator.clipboard.writeText(this.get("pre").textContent)
      this.get(".copy").textContent = "Copied"
    })
    const speed = this.get(".speed"), preset = this.get(".preset")
    for (const name of Object.keys(SPEEDS)) speed.add(new Option(name))
    speed.onchange = () => { if (this.running) this.run(true); this.write() }
    PRESETS.forEach(({ title }, i) => preset.add(new Option(title, i)))
    preset.onchange = () => { if (preset.value) this.take(PRESETS[preset.value]); preset.value = "" }
    for (const [name, title] of Object.entries(LAYERS)) {
      const label = this.get(".layers").appendChild(document.createElement("label"))
      const box = label.appendChild(document.createElement("input"))
      box.type = "checkbox"
      box.name = name
      box.onchange = () => { this.hidden[box.checked ? "delete" : "add"](name); this.write() }
      label.append(title)
    }
    this.get(".file input").onchange = (event) => this.readFile(event.target)
  }
  hands() {
    const { canvas } = this
    onDrag(canvas, (left, top) => this.touch(left, top))
    const dragged = canvas.onpointermove
    canvas.onpointermove = (event) => { this.at = placeAt(...placeIn(event, canvas)); dragged(event) }
    canvas.onpointerleave = () => { this.at = null }
    canvas.onpointerup = () => { if (this.settings.data === DRAWN) this.begin(this.settings) }
    canvas.onkeydown = (event) => {
      const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key]
      if (by) this.at = [0, 1].map((i) => clamp((this.at?.[i] ?? 0) + 0.1 * by[i], -REACH, REACH))
      else if (event.key === "Enter" && this.at && this.settings.data === DRAWN) {
        this.add(this.at)
        this.begin(this.settings)
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
    if (points.length >= MOST_POINTS) return this.complain(`There are ${MOST_POINTS} points, which is all a link holds.`)
    if (points.some((p) => Math.hypot(p[0] - x, p[1] - y) < APART)) return
    this.settings.points = [...points, [x, y]]
  }

  // ------------------------------------------------------------------------------ state and the link
  open() {
    const link = readLink(PREFIX)
    this.hidden = new Set((link.hide ?? "mesh").split("-"))
    for (const box of this.root.querySelectorAll(".layers input")) box.checked = !this.hidden.has(box.name)
    if (link.speed in SPEEDS) this.get(".speed").value = link.speed
    this.begin(readSettings(FIELDS, link), readLog(FIELDS, link.log ?? ""), false)
    this.run(link.play === "1")
  }
  /** Train from the first weights of these settings, after what the log says was done. */
  begin(settings, log = [], write = true) {
    this.base = this.settings = settings
    this.log = log
    this.last = null
    this.complain("")
    this.trainer.say({ start: { settings, log } })
    this.fill(settings)
    this.get(".reason").textContent = ""
    if (settings.data === DRAWN && !settings.points.length) {
      this.get(".reason").textContent = "Draw on the picture, or open a CSV file: G will learn where your points are."
    }
    if (write) this.write()
  }
  change(changes) {
    const [name] = Object.keys(changes)
    this.settings = { ...this.settings, ...changes }
    if (FIELDS[name].live && this.last?.step + this.last?.dSteps > 0) this.trainer.say({ change: changes })
    else this.begin(this.settings)
  }
  take({ settings, log = "", reason }) {
    const start = Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, field.start]))
    this.begin({ ...start, ...settings }, readLog(FIELDS, log))
    this.get(".reason").textContent = reason
    this.run(true)
  }
  run(running) {
    this.running = running
    this.trainer.say({ run: running ? SPEEDS[this.get(".speed").value] : 0 })
    markPlaying(this.get(".play"), running)
    if (!running) this.toWrite = true // once the last steps are known
  }
  step(op) {
    if (this.running) this.run(false)
    this.trainer.say({ op, count: 1 })
    this.toWrite = true
  }
  write() {
    const hide = [...this.hidden].filter((name) => name in LAYERS).join("-")
    const speed = this.get(".speed").value
    writeLink(PREFIX, {
      ...linkOf(FIELDS, this.base),
      log: logText(FIELDS, this.log),
      hide: hide === "mesh" ? null : hide || "0",
      speed: speed === "full" ? null : speed,
    })
  }

  // ------------------------------------------------------------------------------------- the picture
  hear(message) {
    this.asked = false
    if (this.gone || !message.shown) return
    const { belief } = message.shown
    if (belief) this.belief = belief
    this.last = message
    this.settings = { ...this.settings, ...Object.fromEntries(Object.keys(FIELDS).filter((name) => FIELDS[name].live)
      .map((name) => [name, message.settings[name]])) }
    this.log = message.log
    this.fresh = Boolean(belief)
    if (this.toWrite && !message.replaying && !this.running) { this.toWrite = false; this.write() }
  }
  draw() {
    this.frame = requestAnimationFrame(() => this.draw())
    if (!this.canvas.checkVisibility()) return
    // Colours cost a third of the frame, so every other one has new ones.
    if (!this.asked) {
      this.asked = true
      this.trainer.say({ ask: { colour: this.frames++ % 2 === 0 || !this.running } })
    }
    if (!this.last) return
    const { canvas, pen, last } = this, side = canvas.clientWidth, ratio = devicePixelRatio
    if (canvas.width !== Math.round(side * ratio)) canvas.width = canvas.height = Math.round(side * ratio)
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    const theme = readTheme(this.root)
    if (this.fresh && this.belief) this.ground.paint(this.belief, theme)
    paint(pen, side, this.drawing() ?? last.shown, this.hidden, theme, this.ground)
    this.cross(pen, side, theme)
    this.numbers(theme)
    Object.assign(this.root.dataset, { step: last.step, log: logText(FIELDS, last.log), replaying: last.replaying })
  }
  // While points are being drawn they stand for the data.
  drawing() {
    const { data, points } = this.settings
    if (data !== DRAWN) return null
    return { ...this.last.shown, real: Float32Array.from(points.flat()) }
  }
  cross(pen, side, theme) {
    const here = this.get(".here")
    here.hidden = !this.at || !this.belief
    if (here.hidden) return
    const [x, y] = this.at, cell = (v) => clamp(Math.floor(((v / REACH + 1) / 2) * CELLS), 0, CELLS - 1)
    const belief = this.belief[cell(y) * CELLS + cell(x)]
    here.textContent = `x = (${x.toFixed(2)}, ${y.toFixed(2)}), D(x) = ${belief.toFixed(2)}`
    pen.strokeStyle = theme.text
    pen.strokeRect(across(x, side) - 4, down(y, side) - 4, 8, 8)
  }
  numbers(theme) {
    const { step, history, shown: { measures: m }, rate, dLoss, gLoss } = this.last
    const write = (selector, text) => {
      const element = this.get(selector)
      if (element.textContent !== text) element.textContent = text
    }
    write("dt", m.modes ? "Modes" : "Covered")
    write(".covered", m.modes ? `${m.covered} of ${m.modes}` : `${Math.round(100 * m.covered)} %`)
    write(".close", `${Math.round(100 * m.close)} %`)
    write(".spread", `${m.spread.toFixed(2)} ×`)
    write(".step", step.toLocaleString("en"))
    this.get(".step").title = rate ? `${Math.round(rate)} steps per second` : ""
    this.canvas.setAttribute("aria-label", `Step ${step}, ${m.covered} of ${m.modes || 1} covered`)
    const key = `${step} ${history.length} ${theme.text}`
    if (this.charted === key || (this.running && this.frames % 6)) return
    this.charted = key
    const { real, forged } = coloursOf(theme), steps = history.map((entry) => entry[0])
    const of = (i) => history.map((entry) => entry[i])
    this.get(".losses").innerHTML = lineChart({ steps, low: 0, high: 2.5, marks: [Math.log(4), Math.log(2)], lines: [
      { name: `D's loss ${Number.isNaN(dLoss) ? "" : dLoss.toFixed(2)}`, colour: real, values: of(1) },
      { name: `G's ${Number.isNaN(gLoss) ? "" : gLoss.toFixed(2)}`, colour: forged, values: of(2).map((v) => v && Math.abs(v)) },
    ] })
    this.get(".cover").innerHTML = lineChart({ steps, low: 0, high: 1, lines: [
      { name: "Covered", colour: theme.text, values: of(3) }, { name: "On target", colour: theme.link, values: of(4) },
    ] })
  }

  // -------------------------------------------------------------------------------- files and code
  complain(text) {
    this.get(".problem").hidden = !text
    this.get(".problem").textContent = text
  }
  async readFile(input) {
    const [file] = input.files
    input.value = ""
    if (!file) return
    try {
      const { points } = readPoints(await file.text())
      this.begin({ ...this.settings, data: DRAWN, points: intoPlane(points) })
      this.get(".reason").textContent = `${Math.min(points.length, MOST_POINTS)} of ${points.length} points of the file, `
        + "moved into the plane."
    } catch (error) {
      this.complain(error.message)
    }
  }
  showCode() {
    const text = script(this.base, this.log)
    this.get("pre").textContent = text
    this.get(".copy").textContent = "Copy"
    this.get(".save").href = URL.createObjectURL(new Blob([text], { type: "text/x-python" }))
    this.get("dialog").showModal()
  }
}

export default component((parent, data) => new Plane(parent, data ?? {}))
