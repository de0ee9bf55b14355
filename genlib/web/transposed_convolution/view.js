// Transposed convolution: three linked views of one operation, its overlap, and a real layer.
//
// All is computed and drawn here; the state is in the link, which is written when the pointer stops.
import { component, fill, markPlaying, NextFrame, onArrows, Player, Rest, View } from "../shared/hand.js"
import { readLink, writeLink } from "../shared/link.js"
import { stay } from "../shared/stay.js"
import { readTheme } from "../shared/theme.js"
import { Checkerboard } from "./checkerboard.js"
import { mainOf, marksOf, sentence } from "./focus.js"
import { Grid } from "./grid.js"
import { Layer } from "./layer.js"
import { Matrix } from "./matrix.js"
import { convolve, links, matrix, outSide, slide, spread, stamp, turned } from "./operation.js"
import { ASIDE, EXAMPLES, FILLS, HTML, STEPPERS, TABS } from "./parts.js"
import { asText, cellValue, changed, inputOf, kernelOf, offered, parse, pinOf, START, stepOf, stepsOf, VIEWS,
  withInput, withKernel } from "./state.js"
import { pytorchLayer, pytorchLine, pytorchScript } from "./words.js"

const PREFIX = "tconv."
const NARROW = 640 // pixels: a phone
const WALK_S = 9 // from the first step to the last, but
const SLOWEST = 1.1, FASTEST = 60 // steps a second
const UNDOS = 60
const PAGE = '[data-testid="stMainBlockContainer"]' // only in the app
const OPERATION = ["all", "stamp", "slide", "matrix"] // views of the operation itself

class TransposedConvolution extends View {
  constructor(parent) {
    super(parent, "tconv", HTML)
    this.root.dataset.fits = "" // it fits itself to the window when it is presented
    Object.assign(this, { before: [], hover: null, typed: "", width: 0 })
    this.frame = new NextFrame(() => this.draw())
    this.rest = new Rest(() => this.save())
    this.player = new Player((seconds) => this.play(seconds), (playing) => {
      markPlaying(this.get(".play"), playing)
      if (!playing && !this.gone) this.rest.moved()
    })
    for (const shown of [".panels", ".checkerboard", ".layer"]) stay(this.get(shown))
    this.makeGrids()
    this.makeControls()
    this.follow = () => this.open()
    for (const event of ["popstate", "hashchange"]) addEventListener(event, this.follow)
    this.sizes = new ResizeObserver(() => this.frame.ask())
    this.sizes.observe(this.root)
    // A lesson that opens or closes changes the height of what is around.
    const around = parent.getRootNode().host?.closest(PAGE)
    if (around) this.sizes.observe(around)
    this.resized = () => this.frame.ask() // the height matters, too
    addEventListener("resize", this.resized)
    this.open()
  }
  update({ data }) {
    this.models = data.models ?? []
    this.presented = Boolean(data.present)
    this.root.classList.toggle("presented", this.presented)
    this.useModel()
    this.frame.ask()
  }
  end() {
    for (const event of ["popstate", "hashchange"]) removeEventListener(event, this.follow)
    removeEventListener("resize", this.resized)
    this.sizes.disconnect()
    this.player.stop()
    this.frame.cancel()
    this.rest.cancel()
    this.layer.end()
    super.end()
  }

  // ---- state ----
  open() {
    const given = readLink(PREFIX)
    this.player.stop()
    // On a phone one view at a time; all three of them would be three screens.
    const state = parse(given)
    if (!given.view && this.root.clientWidth && this.root.clientWidth < NARROW) state.view = "stamp"
    this.set(state)
  }
  save() {
    const text = asText(this.state)
    writeLink(PREFIX, Object.fromEntries(Object.keys(START).map((name) => [name, text[name]])))
  }
  set(state) {
    this.state = state
    this.x = inputOf(state)
    this.w = kernelOf(state)
    const { n, k, s, p, e } = state, setting = { n, k, s, p, e }, key = Object.values(setting).join()
    if (this.key !== key) {
      Object.assign(this, { key, setting, side: outSide(setting), links: links(setting), matrix: matrix(setting) })
      this.spread = spread(setting)
      this.hover = null
    }
    if (state.model !== this.model) this.useModel()
    this.frame.ask()
    this.rest.moved()
  }
  useModel() {
    this.model = this.state?.model
    this.layer?.use(this.models?.find(({ name }) => name === this.model)?.store)
  }

  // A change that can be taken back.
  change(state) {
    this.remember()
    this.set(state)
  }
  remember() {
    this.before.push(this.state)
    if (this.before.length > UNDOS) this.before.shift()
  }
  undo() {
    const state = this.before.pop()
    if (!state) return
    this.player.stop()
    this.set(state)
  }
  show(view) {
    this.player.stop()
    const flat = view === "checkerboard" && this.state.s === 1 // nothing to see there without a stride
    if (flat) this.change({ ...changed(this.state, { n: 4, k: 3, s: 2, p: 0, e: 0 }), view })
    else this.set({ ...this.state, view })
  }

  // ---- parts ----
  makeGrids() {
    const point = (kind) => (cell) => this.point(cell === null ? null : { kind, cell })
    const pin = (kind) => (cell) => this.pin(kind, cell)
    const grid = (name, on) => new Grid(this.get(`canvas.${name}`), on)
    const painted = (kind, name) => ({
      over: point(kind), paint: (cell, first) => this.paint(kind, name, cell, first),
      type: (cell, key) => this.type(kind, name, cell, key),
    })
    const inSpread = (cell) => {
      if (cell === null) return null
      const input = this.spread.at(Math.floor(cell / this.spread.side), cell % this.spread.side)
      return input < 0 ? { kind: "z", cell } : { kind: "i", cell: input }
    }
    const flipped = (cell) => (cell === null ? null : { kind: "k", cell: this.w.length - 1 - cell })
    this.grids = {
      input: grid("input", painted("i", "x")),
      kernel: grid("kernel", painted("k", "w")),
      here: grid("kernel-here", painted("k", "w")),
      output: grid("output", { over: point("o"), pick: pin("o") }),
      wide: grid("wide", { over: (cell) => this.point(inSpread(cell)), pick: (cell) => {
        const found = inSpread(cell)
        if (found.kind === "i") this.pin("i", found.cell)
      } }),
      turned: grid("turned", { over: (cell) => this.point(flipped(cell)), pick: (cell) => this.pin("k", flipped(cell).cell) }),
      again: grid("again", { over: point("o"), pick: pin("o") }),
    }
    this.entries = new Matrix(this.get("canvas.entries"), { over: point("e"), pick: pin("e") })
    this.checkerboard = new Checkerboard(this.get(".checkerboard"), (flat) => this.set({ ...this.state, flat }))
    this.layer = new Layer(this.get(".layer"), this.get(".about-layer"), (change) => {
      this.player.stop()
      this.set({ ...this.state, ...change })
    }, (x, w, setting) => this.openMap(x, w, setting))
    this.layer.ready = () => this.frame.ask()
  }
  /** Another view, as an arrow key on the tabs asks. @param {number} by 1 or -1 */
  showNext(by) {
    const next = VIEWS[(VIEWS.indexOf(this.state.view) + by + VIEWS.length) % VIEWS.length]
    this.show(next)
    this.get(`.tabs [data-view="${next}"]`).focus()
  }
  makeControls() {
    const { get } = this
    get(".tabs").replaceChildren(...VIEWS.map((view) => {
      const tab = document.createElement("button")
      Object.assign(tab, { textContent: TABS[view], role: "tab", onclick: () => this.show(view) })
      tab.dataset.view = view
      onArrows(tab, (right, down) => this.showNext(right || down))
      return tab
    }))
    get(".steppers").replaceChildren(...Object.entries(STEPPERS).map(([name, label]) => this.stepper(name, label)))
    get(".play").onclick = () => this.startPlaying()
    get(".once").onclick = () => { this.player.stop(); this.goTo(this.step >= this.steps ? 0 : this.step + 1) }
    get(".scrub").oninput = (event) => { this.player.stop(); this.goTo(Number(event.target.value)) }
    get(".order").onchange = (event) => { this.player.stop(); this.set({ ...this.state, order: event.target.value, at: -1 }) }
    get(".which").onclick = () => this.set({ ...this.state, show: this.state.show === "T" ? "C" : "T" })
    get(".undo").onclick = () => this.undo()
    get(".brush").onchange = () => { get(".brush").value = String(this.brush) }
    this.makeChoices(get(".examples"), EXAMPLES, (make) => this.change(make(this.state)))
    this.makeChoices(get(".fills"), FILLS, (make) => this.change(make(this.state)))
    get(".copy-line").onclick = (event) => copy(event.target, pytorchLine(this.setting))
    get(".copy-all").onclick = (event) => copy(event.target, pytorchScript(this.setting, this.x, this.w))
    get(".model").onchange = (event) => {
      this.player.stop()
      this.set({ ...this.state, model: event.target.value, op: 0, map: 0, sum: -1 })
    }
    get(".new-z").onclick = () => this.set({ ...this.state, seed: (this.state.seed + 1) % 1000000 })
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.pin(null)
      else if (event.key === "z" && (event.ctrlKey || event.metaKey) && !event.target.matches("input")) this.undo()
      else return
      event.preventDefault()
    })
  }

  // A list of things to do, which falls back to its title.
  makeChoices(select, choices, act) {
    for (const name of Object.keys(choices)) select.add(new Option(name))
    select.onchange = () => {
      const make = choices[select.value]
      select.selectedIndex = 0
      this.player.stop()
      if (make) act(make)
    }
  }
  stepper(name, label) {
    const row = document.createElement("div")
    row.className = "stepper"
    row.innerHTML = `<span></span><button type="button">−</button><output></output><button type="button">+</button>`
    row.firstChild.textContent = label
    row.setAttribute("role", "group")
    row.setAttribute("aria-label", label)
    row.dataset.name = name
    const [less, more] = row.querySelectorAll("button")
    for (const [button, by, word] of [[less, -1, "less"], [more, 1, "more"]]) {
      button.setAttribute("aria-label", `${label}: ${word}`)
      button.onclick = () => { this.player.stop(); this.change(changed(this.state, { [name]: this.state[name] + by })) }
    }
    return row
  }

  // ---- pointing, pinning, painting ----
  point(focus) {
    if (this.hover?.kind === focus?.kind && this.hover?.cell === focus?.cell) return
    this.hover = focus
    this.frame.ask()
  }
  pin(kind, cell) {
    const pin = kind && this.state.pin !== `${kind}${cell}` ? `${kind}${cell}` : "none"
    this.set({ ...this.state, pin })
  }
  get brush() {
    const value = this.get(".brush").valueAsNumber
    return Number.isFinite(value) ? cellValue(value) : 1
  }
  paint(kind, name, cell, first) {
    if (first) this.remember()
    this.typed = ""
    this.put(name, cell, this.brush)
    this.point({ kind, cell })
  }
  put(name, cell, value) {
    const part = (name === "x" ? this.x : this.w).slice()
    part[cell] = value
    const put = name === "x" ? withInput : withKernel
    this.set({ ...this.state, [name]: put(this.state, part) })
  }
  // Digits typed into a cell add up to a number; a minus turns its sign.
  type(kind, name, cell, key) {
    const where = `${name}${cell}`, values = name === "x" ? this.x : this.w
    if (this.typedAt !== where) Object.assign(this, { typed: "", typedAt: where })
    this.remember()
    if (key === "-") this.typed = String(-values[cell])
    else if (key === "Enter") this.typed = ""
    else if (key === "Delete" || key === "Backspace") this.typed = "0"
    else if (key === "+") this.typed = String(values[cell] + 1)
    else this.typed = this.typed === "0" ? key : this.typed + key
    const value = key === "Enter" ? this.brush : Number(this.typed)
    if (!Number.isFinite(value)) this.typed = ""
    else this.put(name, cell, cellValue(value))
    if (key === "Enter" || key === "+" || key === "-") this.typed = ""
    this.point({ kind, cell })
  }
  openMap(x, w, setting) {
    const state = { ...changed(this.state, setting), view: "all", pin: "none" }
    const withX = { ...state, x: withInput(state, x.map(cellValue)) }
    this.change({ ...withX, w: withKernel(withX, w.map(cellValue)) })
  }

  // ---- time ----
  get inLayer() { return this.state.view === "layer" }
  get steps() { return this.inLayer ? Math.max(1, this.layer.walk.length - 1) : stepsOf(this.state) }
  get step() { return this.inLayer ? Math.max(0, this.layer.stepOf(this.state)) : stepOf(this.state) }
  goTo(step) {
    if (!this.inLayer) return this.set({ ...this.state, at: step >= this.steps ? -1 : step })
    const [op, map] = this.layer.walk[Math.min(step, this.steps)] ?? [0, 0]
    this.set({ ...this.state, op, map: Math.max(0, map), sum: -1 })
  }
  startPlaying() {
    if (!this.player.playing) {
      this.owed = 0
      if (this.step >= this.steps) this.goTo(0)
    }
    this.player.toggle()
  }
  play(seconds) {
    this.owed += seconds * Math.min(FASTEST, Math.max(SLOWEST, this.steps / WALK_S))
    const by = Math.floor(this.owed)
    if (!by) return true
    this.owed -= by
    this.goTo(Math.min(this.steps, this.step + by))
    return this.step < this.steps
  }

  // Whether a product has been added by now.
  done(input, output) {
    const step = stepOf(this.state)
    return this.state.order === "input" ? input < step : output < step
  }

  // The cell whose turn it was last, while steps are still to come.
  get current() {
    const step = stepOf(this.state)
    return step > 0 && step < stepsOf(this.state) ? { kind: this.state.order === "input" ? "i" : "o", cell: step - 1 } : null
  }

  // ---- drawing ----
  draw() {
    if (this.gone || !this.root.clientWidth) return
    const theme = readTheme(this.root), { view } = this.state
    const colours = { x: theme.classes[0], w: theme.classes[4], y: theme.classes[2] }
    this.look = { theme, mark: theme.classes[1], minus: theme.classes[3] }
    this.colours = colours
    for (const [name, colour] of Object.entries({ ...colours, mark: this.look.mark })) this.root.style.setProperty(`--${name}`, colour)
    this.root.dataset.view = view
    this.root.classList.toggle("narrow", this.root.clientWidth < NARROW)
    this.drawControls()
    const across = this.root.clientWidth < NARROW ? this.root : this.get(".main") // style.css: then .main isn't a box
    const room = across.clientWidth, height = this.heightFor()
    if (OPERATION.includes(view)) this.drawOperation(room, height)
    else if (view === "checkerboard") this.drawCheckerboard(room, height)
    else this.layer.draw(this.look, this.state, colours, room, height - 60)
    // For tests and for whoever reads the page with a program.
    this.root.dataset.step = `${this.step}/${this.steps}`
  }

  drawCheckerboard(room, height) {
    const { grids, look, colours, setting, hover } = this, at = hover?.kind === "k" ? hover.cell : null
    grids.here.resize(setting.k, this.get("aside").clientWidth || room, 44)
    grids.here.draw(look, { values: this.w, colour: colours.w, marks: at === null ? new Map() : new Map([[at, "main"]]) })
    this.checkerboard.draw(look, this.state, this.x, this.w, colours, room, height - 100)
  }

  // What is left of the window for pictures.
  heightFor() {
    const lesson = document.querySelector(".st-key-lesson")?.offsetHeight ?? 0
    const around = (this.presented ? 285 : 372) + (lesson && lesson + 36) // and the gap that comes with it
    return Math.min(1400, Math.max(lesson ? 200 : 340, window.innerHeight - around))
  }
  drawControls() {
    const { state, get } = this, operation = OPERATION.includes(state.view)
    for (const tab of get(".tabs").children) {
      const chosen = tab.dataset.view === state.view
      tab.setAttribute("aria-selected", String(chosen))
      tab.tabIndex = chosen ? 0 : -1 // one Tab to them all; arrow keys choose
    }
    for (const row of get(".steppers").children) {
      const { name } = row.dataset, [low, high] = offered(state, name), [less, more] = row.querySelectorAll("button")
      row.querySelector("output").textContent = state[name]
      less.disabled = state[name] <= low
      more.disabled = state[name] >= high
      row.title = ASIDE[name](state)
    }
    get(".about-operation").hidden = state.view === "layer"
    get(".about-layer").hidden = state.view !== "layer"
    get(".bar").hidden = state.view === "checkerboard"
    get(".panels").hidden = get(".lines").hidden = !operation
    get(".code").hidden = state.view === "layer"
    get(".order").hidden = !operation
    get(".checkerboard").hidden = state.view !== "checkerboard"
    get(".layer").hidden = state.view !== "layer"
    get(".only-checkerboard").hidden = state.view !== "checkerboard"
    get(".undo").disabled = !this.before.length
    get(".model").value = state.model
    const scrub = get(".scrub")
    Object.assign(scrub, { max: this.steps, value: this.step })
    fill(scrub)
    get(".where").textContent = `${this.step} of ${this.steps}`
    get(".order").value = state.order
    get(".code code").textContent = pytorchLine(this.setting)
    get(".code code").title = pytorchLayer(this.setting)
  }
  drawOperation(room, height) {
    const { state, setting } = this, focus = this.hover ?? pinOf(state)
    const marks = marksOf(setting, this.links, focus), order = state.order
    const y = order === "input" ? stamp(setting, this.x, this.w, stepOf(state)) : slide(setting, this.x, this.w, stepOf(state))
    const scene = { y, marks, focus, known: (o) => order === "input" || o < stepOf(state), used: (i) => order === "output" || i < stepOf(state) }
    for (const panel of this.root.querySelectorAll(".panel")) panel.hidden = state.view !== "all" && state.view !== panel.dataset.view
    const columns = state.view === "all" && room > NARROW ? 3 : 1, each = (room - 20 * (columns - 1)) / columns
    const shown = (view) => state.view === "all" || state.view === view
    const alone = columns === 1 && room > NARROW // one view with the whole width
    if (shown("stamp")) this.drawStamp(scene, each, height, alone)
    if (shown("slide")) this.drawSlide(scene, each, height, alone)
    if (shown("matrix")) this.drawMatrix(scene, each, height, alone)
    this.say(focus)
  }

  // Where the stamp of the cell in question lies, or the window that it sees.
  windowOn(marks, kind) {
    const { current, setting: { n, k, s, p }, side } = this
    const asked = mainOf(kind === "i" ? marks.inputs : marks.outputs)
    const cell = this.hover || !current ? asked : current.kind === kind ? current.cell : null
    if (cell === null) return null
    return kind === "i" ? [Math.floor(cell / n) * s - p, (cell % n) * s - p, k, k] : [Math.floor(cell / side), cell % side, k, k]
  }
  drawStamp({ y, marks, known, used }, width, height, alone) {
    const { grids, setting: { n, k }, side, look, colours } = this
    const small = alone ? width * 0.22 : (width - 26) / 2
    const large = alone ? width * 0.52 : width
    // Cells that are edited always have room for their numbers.
    grids.input.resize(n, Math.min(small, Math.max(height * 0.36, n * 20)), this.largest)
    grids.kernel.resize(k, Math.min(small, Math.max(height * 0.36, k * 20)), this.largest)
    grids.output.resize(side, Math.min(large, Math.max(height * (alone ? 1 : 0.5), side * (alone ? 24 : 10))), this.largest)
    const { current } = this, now = current?.kind === "i" ? current.cell : null
    const window = now === null ? null : [Math.floor(now / n), now % n, 1, 1]
    grids.input.draw(look, { values: this.x, colour: colours.x, marks: marks.inputs, window })
    grids.kernel.draw(look, { values: this.w, colour: colours.w, marks: marks.kernels })
    grids.output.draw(look, { values: y, colour: colours.y, known, marks: marks.outputs, window: this.windowOn(marks, "i") })
    this.get(".output-name").textContent = `output ${side} × ${side}`
    this.get(".input-name").textContent = `input ${n} × ${n}`
    this.get(".kernel-name").textContent = `kernel ${k} × ${k}`
  }
  drawSlide({ y, marks, known, used }, width, height, alone) {
    const { grids, setting: { k }, side, look, colours, spread: wide } = this
    const large = alone ? width * 0.58 : width, small = alone ? width * 0.38 : (width - 34) / 2
    grids.wide.resize(wide.side, Math.min(large, Math.max(height * (alone ? 1 : 0.57), wide.side * (alone ? 24 : 9))), this.largest)
    grids.turned.resize(k, Math.min(small, height * 0.31), this.largest)
    grids.again.resize(side, Math.min(small, alone ? height * 0.6 : height * 0.31), this.largest)
    const inputAt = (cell) => wide.at(Math.floor(cell / wide.side), cell % wide.side)
    const cells = Array.from({ length: wide.side ** 2 }, (_, cell) => inputAt(cell))
    const spots = new Map(cells.flatMap((i, cell) => (i >= 0 && marks.inputs.has(i) ? [[cell, marks.inputs.get(i)]] : [])))
    if (this.hover?.kind === "z") spots.set(this.hover.cell, "main")
    grids.wide.draw(look, {
      values: cells.map((i) => (i >= 0 && used(i) ? this.x[i] : 0)), colour: colours.x, marks: spots,
      empty: (cell) => cells[cell] < 0, window: this.windowOn(marks, "o"),
    })
    const flipped = new Map([...marks.kernels].map(([t, kind]) => [k * k - 1 - t, kind]))
    grids.turned.draw(look, { values: turned(this.w), colour: colours.w, marks: flipped })
    grids.again.draw(look, { values: y, colour: colours.y, known, marks: marks.outputs })
    this.get(".wide-name").textContent = `input, spread out: ${wide.side} × ${wide.side}`
  }
  drawMatrix({ y, marks, known }, width, height, alone) {
    const { state, setting, side, look, colours } = this, transposed = state.show === "T"
    const output = { values: y, colour: colours.y, known }
    this.entries.draw(look, {
      transposed, rows: side * side, columns: setting.n ** 2, cells: this.matrix, w: this.w, colour: colours.w,
      given: transposed ? { values: this.x, colour: colours.x } : output,
      result: transposed ? output : { values: convolve(setting, y, this.w), colour: colours.x },
      close: alone, ...marks,
    }, width, height - 34)
    const [from, to] = [`${setting.n} × ${setting.n}`, `${side} × ${side}`]
    this.get(".matrix-name").textContent = transposed ? `Cᵀ x = y: ${side * side} × ${setting.n ** 2}`
      : `C y: ${setting.n ** 2} × ${side * side}, the convolution ${to} → ${from}`
    this.get(".which").textContent = transposed ? "Show C" : "Show Cᵀ"
  }
  get largest() { return this.presented ? 76 : 44 }

  // What the last step did, and the sum or sentence of what is pointed at or pinned.
  say(focus) {
    const scene = { setting: this.setting, links: this.links, x: this.x, w: this.w }
    const done = (i, o) => this.done(i, o), all = () => true
    const { current, state } = this
    const step = current ? sentence(scene, current, current.kind === "o" ? all : done) : null
    write(this.get(".step"), step ?? [{ text: stepOf(state) ? "" : "Nothing has been added yet: press Play or Step.", done: true }])
    const sum = focus ? sentence(scene, focus, done)
      : [{ text: "Point at any cell or tap it to see its counterparts. Click one to pin it.", done: true }]
    write(this.get(".sum"), sum)
  }
}

const write = (line, parts) => line.replaceChildren(...parts.map(({ text, done, total }) => {
  const span = document.createElement("span")
  span.textContent = text
  span.className = total ? "total" : done ? "" : "later"
  return span
}))

// To the clipboard; over plain HTTP there is none, and a hidden text has to be selected.
const copy = async (button, text) => {
  const before = (button.dataset.says ??= button.textContent)
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    const hidden = button.after(document.createElement("textarea")) ?? button.nextSibling
    Object.assign(hidden, { value: text })
    hidden.select()
    document.execCommand("copy")
    hidden.remove()
    button.focus()
  }
  button.textContent = "Copied"
  setTimeout(() => { button.textContent = before }, 1500)
}

export default component((parent) => new TransposedConvolution(parent))
