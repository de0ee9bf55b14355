// A page that lives in the browser: views of the same points, a panel of controls, one canvas. What is
// special to a view is an object of its own:
//   title, keys: of its values in the link, defaults(lab): these values as the data suggest them,
//   bounds: {key: [low, high, step], or (lab) => such a list} of values without a slider,
//   panel: parts as in panel.js,
//   fixed: whether a click adds no own point, tellsClassesApart: whether new points are asked for a class,
//   draw(lab, pen, width, height): sets lab.plane, the frame of the points,
//   handles(lab): [{at: [px, py], colour, to(px, py)}], what can be dragged,
//   hover(lab, px, py), arrow(lab, right, down, shift), step(lab, seconds): as in Player, enter(lab): new data
import { blank, classColour, Frame, limits } from "./chart.js"
import { hasSpread, inReach, readFile, writePoints } from "./csv.js"
import { clamp, NextFrame, onArrows, Player, Rest, sideways, tapped, View } from "./hand.js"
import { readLink, writeLink } from "./link.js"
import { buildPanel } from "./panel.js"
import { stay } from "./stay.js"
import { readTheme } from "./theme.js"

const REACH = 26 // pixels around a handle that a thumb still hits
const NEAR = 9 // a click this close to an own point removes it
const LINKED = 120 // own points that a link carries
const LEAST = 3 // points that the views need
const OWN_CLASSES = ["class A", "class B"]
const LINK_MS = 250
const GLIDE_S = 0.5

const HTML = `<div class="tabs" role="tablist"></div>
  <div class="picture" data-control><canvas tabindex="0"></canvas></div>
  <div class="panel">
    <div class="source"><div class="data"><label>Data <select></select></label>
        <button class="save" title="These points as a CSV file">CSV</button></div>
      <div class="own" hidden><p></p>
        <div class="brush choice" role="group" aria-label="New points belong to"></div>
        <div class="buttons"><button class="open">Open a CSV file</button><button class="undo">Undo</button>
          <button class="clear">Clear</button><input type="file" accept=".csv,.tsv,.txt,text/*" hidden></div>
        <p class="error" role="alert" hidden></p></div></div>
    <div class="parts"></div></div>`

const written = (value) => (typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value))

const READERS = {
  number: (text) => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined),
  boolean: (text) => ({ true: true, false: false })[text],
  string: (text) => text,
}

/** Own points as the link carries them: "170,65;180,80,1". */
export const packPoints = (points) =>
  points.map(([x, y, c]) => [x, y, ...(c ? [c] : [])].map((v) => Number(v.toPrecision(5))).join(",")).join(";")

/** The points of a link; what isn't one is left out. @param {string} text */
export const unpackPoints = (text) => text.split(";").map((part) => part.split(",").map(Number))
  .filter((p) => p.length >= 2 && p.every(Number.isFinite) && inReach(p)).slice(0, LINKED)
  .map(([x, y, c]) => [x, y, c === 1 ? 1 : 0])

/** The base of both pages. */
export class Lab extends View {
  /** @param {Element} parent @param {object} given
   * @param {string} given.prefix of its values in the link, and its class
   * @param {Object<string, object>} given.views by name, the first one is shown at first
   * @param {Object<string, {title: string, points: number[][], names?: string[]}>} given.sources data by name
   * @param {string[]} given.names of both axes
   * @param {string[]} [given.classes] names of the classes of its own data, where views tell classes apart
   * @param {string} given.picture what the canvas shows, for those who can't see it */
  constructor(parent, given) {
    super(parent, `lab ${given.prefix}`, HTML)
    Object.assign(this, given, { view: Object.keys(given.views)[0], data: Object.keys(given.sources)[0] })
    Object.assign(this, { own: [], ownNames: null, past: [], brush: 0, kept: {}, state: {}, held: -1, finger: null, seen: null })
    this.canvas = this.get("canvas")
    this.canvas.setAttribute("aria-label", given.picture)
    stay(this.get(".picture"))
    this.plane = null
    this.frame = new NextFrame(() => this.draw())
    this.link = new Rest(() => this.tell(), LINK_MS)
    this.player = new Player((s) => { const on = this.now.step(this, s); this.frame.ask(); return on }, () => this.frame.ask())
    this.buildTabs()
    this.buildSource()
    this.listen()
    this.sized = new ResizeObserver(() => this.frame.ask())
    this.sized.observe(this.canvas)
    this.moved = () => this.read() // Back, Forward, and a lesson that was answered
    addEventListener("popstate", this.moved)
    this.page = new ResizeObserver(() => this.makeRoom())
    const block = document.querySelector("[data-testid=stMainBlockContainer]")
    if (block) this.page.observe(block)
    this.read()
  }

  get now() { return this.views[this.view] }
  get points() { return this.data === "own" ? this.own : this.sources[this.data].points }
  get classNames() { return this.data === "own" ? OWN_CLASSES : this.classes }
  get axisNames() { return (this.data === "own" ? this.ownNames : this.sources[this.data].names) ?? this.names }

  /** Whether there is enough to fit: three points that don't share an x or a y. */
  get ready() {
    return this.points.length >= LEAST && hasSpread(this.points, 0) && hasSpread(this.points, 1)
  }

  /** The limits of both axes: the app's people, or the own points where these lie elsewhere. */
  get ranges() {
    const every = Object.values(this.sources)[0].points
    return [0, 1].map((axis) => {
      const usual = limits(every.map((p) => p[axis])), here = this.points.map((p) => p[axis])
      if (!here.length || (this.data === "own" && here.every((v) => v >= usual[0] && v <= usual[1]))) return usual
      return limits(here)
    })
  }

  /** Change values of the view's controls. @param {object} values */
  set(values) {
    this.kept[this.view] = { ...this.kept[this.view], ...values }
    Object.assign(this.state, values)
    this.now.changed?.(this, values)
    this.link.moved()
    this.frame.ask()
  }

  /** Move numbers of the view to where they shall be, in sight. @param {Object<string, number>} goal */
  glide(goal) {
    this.player.stop()
    const start = { ...this.state }
    let t = 0
    this.glider?.stop()
    this.glider = new Player((seconds) => {
      t = Math.min(1, t + seconds / GLIDE_S)
      const ease = t * t * (3 - 2 * t)
      const mix = ([key, value]) => [key, start[key] + ease * (value - start[key])]
      this.set(Object.fromEntries(Object.entries(goal).map(mix)))
      return t < 1
    })
    this.glider.play()
  }

  /** The values that the view's controls have by themselves; other data have others. */
  refresh() {
    this.defaults = this.ready ? this.now.defaults(this) : {}
    this.state = { ...this.defaults, ...this.kept[this.view] }
    if (this.ready) this.now.enter?.(this)
    this.frame.ask()
  }

  stop() { this.player.stop(); this.glider?.stop() }

  show(view) {
    this.stop()
    this.view = view
    for (const tab of this.get(".tabs").children) {
      tab.setAttribute("aria-selected", String(tab.dataset.view === view))
      tab.tabIndex = tab.dataset.view === view ? 0 : -1
    }
    this.sync = buildPanel(this, this.get(".parts"), this.now.panel)
    this.refresh()
  }

  use(data) {
    this.stop()
    this.data = data
    this.kept = {}
    this.get("select").value = data
    this.get(".own").hidden = data !== "own"
    this.refresh()
  }

  // ---- the link ----

  /** The link's values, if they are not what this page wrote there itself. */
  read() {
    const link = readLink(`${this.prefix}.`), all = JSON.stringify(Object.entries(link).sort())
    if (all === this.seen) return
    this.seen = all
    if (link.own) this.own = unpackPoints(link.own)
    if (link.own) this.ownNames = link.names?.includes("|") ? link.names.split("|").slice(0, 2) : null
    const known = (name, dict, otherwise) => (Object.hasOwn(dict, link[name] ?? "") ? link[name] : otherwise)
    const data = link.own ? "own" : known("data", { ...this.sources, own: 1 }, Object.keys(this.sources)[0])
    this.use(data)
    this.show(known("view", this.views, Object.keys(this.views)[0]))
    for (const _ of ["what ranges hang on", "all"]) { // such as the column whose numbers are shown
      const found = Object.keys(this.defaults).filter((key) => key in link)
        .map((key) => [key, this.allowed(key, READERS[typeof this.defaults[key]](link[key]))])
      this.kept[this.view] = Object.fromEntries(found.filter(([, value]) => value !== undefined))
      this.refresh()
    }
  }

  /** A value that the control of this key could have, or undefined. */
  allowed(key, value) {
    const part = this.now.panel.find((one) => one.key === key), given = this.now.bounds?.[key]
    const bounds = typeof given === "function" ? given(this) : given
    if (value === undefined || (!part && !bounds)) return value
    if (part?.kind === "choice") return Object.hasOwn(part.options, value) ? value : undefined
    if (part && part.kind !== "slider") return value
    const [low, high, step] = bounds ?? part.range(this), kept = clamp(value, low, high)
    return step === 1 ? Math.round(kept) : kept
  }

  tell() {
    const values = { view: this.view, data: this.data, own: null, names: null }
    for (const view of Object.values(this.views)) for (const key of view.keys) values[key] = null
    if (this.data === "own" && this.own.length && this.own.length <= LINKED) values.own = packPoints(this.own)
    if (values.own && this.ownNames) values.names = this.ownNames.join("|")
    for (const [key, value] of Object.entries(this.kept[this.view] ?? {})) {
      if (this.defaults[key] !== undefined && value !== this.defaults[key]) values[key] = written(value)
    }
    if (this.view === Object.keys(this.views)[0]) values.view = null
    if (this.data === Object.keys(this.sources)[0] || values.own) values.data = null
    writeLink(`${this.prefix}.`, values)
    this.seen = JSON.stringify(Object.entries(readLink(`${this.prefix}.`)).sort())
  }

  // ---- tabs and data ----

  buildTabs() {
    const tabs = this.get(".tabs")
    for (const [name, { title }] of Object.entries(this.views)) {
      const tab = tabs.appendChild(document.createElement("button"))
      tab.setAttribute("role", "tab")
      tab.dataset.view = name
      tab.textContent = title
      tab.onclick = () => { this.show(name); this.link.moved() }
    }
    onArrows(tabs, (right) => {
      const all = [...tabs.children], at = all.findIndex((tab) => tab.dataset.view === this.view)
      const next = all[(at + right + all.length) % all.length]
      next.click()
      next.focus()
    })
  }

  buildSource() {
    const select = this.get("select"), file = this.get("input[type=file]")
    for (const [name, { title }] of Object.entries({ ...this.sources, own: { title: "Your own points" } })) {
      select.add(new Option(title, name))
    }
    select.onchange = () => { this.use(select.value); this.link.moved() }
    this.get(".save").onclick = () => {
      const text = writePoints(this.points, this.axisNames, this.classes && this.classNames)
      const link = document.createElement("a")
      Object.assign(link, { download: `${this.prefix}-${this.data}.csv`, href: `data:text/csv;charset=utf-8,${encodeURIComponent(text)}` })
      link.click()
    }
    this.get(".open").onclick = () => file.click()
    this.get(".clear").onclick = () => this.change([], null)
    this.get(".undo").onclick = () => {
      if (this.past.length) [this.own, this.ownNames] = this.past.pop()
      this.refresh()
      this.link.moved()
    }
    file.onchange = () => { this.open(file.files[0]); file.value = "" }
    OWN_CLASSES.forEach((name, c) => {
      const button = this.get(".brush").appendChild(document.createElement("button"))
      button.textContent = name
      button.onclick = () => { this.brush = c; this.frame.ask() }
    })
  }

  /** Put other own points in place of those that are there. */
  change(points, names = this.ownNames) {
    this.past = [...this.past.slice(-99), [this.own, this.ownNames]]
    Object.assign(this, { own: points, ownNames: names })
    this.complain("")
    this.refresh()
    this.link.moved()
  }

  complain(words) {
    const box = this.get(".error")
    box.textContent = words
    box.hidden = !words
  }

  async open(file) {
    if (!file) return
    try {
      const { points, names } = await readFile(file, Boolean(this.classes))
      this.kept = {}
      this.change(points.map(([x, y, c]) => [x, y, c ?? this.brush]), names)
    } catch (error) {
      this.complain(`${error.message} Your points are as they were.`)
    }
  }

  // ---- the hand ----

  listen() {
    const { canvas } = this
    const place = (event) => {
      const box = canvas.getBoundingClientRect() // in present mode larger than the canvas believes
      return [((event.clientX - box.left) * canvas.clientWidth) / box.width,
        ((event.clientY - box.top) * canvas.clientHeight) / box.height]
    }
    canvas.onpointerdown = (event) => {
      const [px, py] = place(event)
      canvas.setPointerCapture(event.pointerId)
      canvas.focus({ preventScroll: true })
      this.glider?.stop()
      this.held = this.ready ? this.reach(px, py) : -1
      this.finger = event.pointerType === "touch" && this.held < 0 ? [event.clientX, event.clientY] : null
      if (this.held < 0 && !this.finger) this.press(px, py)
      this.frame.ask()
      event.preventDefault()
    }
    // Up or down a finger scrolls the page (touch-action: pan-y), unless it has a handle.
    canvas.addEventListener("touchstart", (event) => { if (this.held >= 0) event.preventDefault() }, { passive: false })
    canvas.onpointermove = (event) => {
      if (this.finger && !sideways(this.finger, event)) return
      this.finger = null
      const [px, py] = place(event)
      if (this.held >= 0) this.now.handles(this)[this.held]?.to(px, py)
      else if (this.ready && this.plane) this.now.hover?.(this, px, py)
      canvas.style.cursor = this.held >= 0 ? "grabbing" : this.ready && this.reach(px, py) >= 0 ? "grab" : "crosshair"
    }
    canvas.onpointerup = canvas.onpointercancel = (event) => {
      if (this.finger && event.type === "pointerup" && tapped(this.finger, event)) this.press(...place(event))
      this.finger = null
      if (this.held >= 0) this.now.dropped?.(this)
      this.held = -1
      this.frame.ask()
    }
    onArrows(canvas, (right, down, event) => this.ready && this.now.arrow?.(this, right, down, event.shiftKey))
  }

  reach(px, py) {
    const far = this.plane ? this.now.handles(this).map(({ at }) => Math.hypot(at[0] - px, at[1] - py)) : []
    const least = Math.min(...far)
    return least < REACH ? far.indexOf(least) : -1
  }

  press(px, py) {
    if (this.ready && this.plane) this.now.hover?.(this, px, py)
    if (this.data !== "own" || !this.plane?.holds(px, py) || this.now.fixed) return
    const { plane } = this, at = this.own.findIndex((p) => Math.hypot(plane.px(p[0]) - px, plane.py(p[1]) - py) < NEAR)
    const point = [plane.x(px), plane.y(py)].map((v) => Number(v.toPrecision(5)))
    this.change(at >= 0 ? this.own.filter((_, i) => i !== at) : [...this.own, [...point, this.brush]])
  }

  /** A lesson's question stands above the picture, which becomes lower by as much. */
  makeRoom() {
    const lesson = document.querySelector(".st-key-lesson")?.offsetHeight ?? 0
    this.root.style.setProperty("--lesson", `${lesson}px`)
  }

  // ---- drawing ----

  draw() {
    if (this.gone) return
    this.theme = readTheme(this.root)
    const { pen, width, height } = blank(this.canvas)
    if (!width || !height) return
    this.showSource()
    this.get(".parts").hidden = !this.ready
    if (!this.ready) return this.drawEmpty(pen, width, height)
    this.now.draw(this, pen, width, height)
    this.now.handles(this).forEach(({ at, colour }, i) => this.plane.handle(at, colour ?? this.theme.text, i === this.held))
    this.sync()
  }

  /** A frame of the whole canvas for points. */
  whole(pen, width, height, { top = 26, right = 14 } = {}) {
    const [xs, ys] = this.ranges
    return new Frame(pen, this.theme, { left: 54, top, right: width - right, bottom: height - 42 }, xs, ys)
  }

  drawEmpty(pen, width, height) {
    this.plane = this.whole(pen, width, height)
    this.plane.axes(...this.axisNames)
    this.plane.dots(this.points, (p) => classColour(this.theme, p[2]), 4, 0.9)
    this.plane.label("Click here to add points. Three are needed.", width / 2, height / 2, "center")
  }

  showSource() {
    if (this.data !== "own") return
    const many = this.own.length > LINKED
    this.get(".own > p").textContent = `${this.own.length} ${this.own.length === 1 ? "point" : "points"}. ` +
      (this.now.fixed ? "" : "Click the picture to add one, click a point to remove it. ") +
      (many ? `A link carries at most ${LINKED}: keep your file.` : "")
    this.get(".save").disabled = !this.points.length
    this.get(".brush").hidden = !this.now.tellsClassesApart
    this.get(".undo").disabled = !this.past.length
    this.get(".clear").disabled = !this.own.length
    ;[...this.get(".brush").children].forEach((b, c) => b.setAttribute("aria-pressed", String(this.brush === c)))
  }

  update() { this.read(); this.frame.ask() }

  end() {
    this.stop()
    this.link.cancel()
    this.frame.cancel()
    this.sized.disconnect()
    this.page.disconnect()
    removeEventListener("popstate", this.moved)
    super.end()
  }
}
