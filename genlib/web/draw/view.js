// The drawing canvas: strokes are kept here, sent to Python while drawing, and come back framed.
// A stroke is {w: brush diameter, p: [x0, y0, x1, y1, ...]} in thousandths of the canvas side.
import { clamp, component, placeIn, View } from "../shared/hand.js"
import { fromText } from "../shared/packet.js"
import { paintPixels, show } from "../shared/picture.js"

const SEND_EVERY_MS = 80 // no more often than this while drawing
const GIVE_UP_MS = 500 // send again though Python has not answered: an answer can be lost
const MIN_STEP = 3 // thousandths: nearer points than this add nothing that can be seen
const EMPTY_HINT = "Draw here"
const PARTS = ["label", "left", "sheet", "undo", "clear", "brush", "dot", "seen", "caption", "raw"]
const HTML = `
<div class="label"></div><div class="row"><div class="left"><canvas class="sheet" tabindex="0"></canvas>
    <div class="tools"><button type="button" class="undo" title="Undo the last step (Ctrl+Z)">Undo</button>
      <button type="button" class="clear" title="Clear the canvas">Clear</button>
      <label title="Brush diameter, in percent of the canvas side">
        Brush <input class="brush" type="range" min="40" max="160" step="5"><i class="dot"></i></label></div>
  </div><div class="side"><canvas class="seen" width="28" height="28"></canvas><div class="caption"></div>
    <label title="Show the strokes without centring or scaling">
      <input class="raw" type="checkbox"> Raw strokes
    </label></div></div>`

class Sheet extends View {
  constructor(parent, data) {
    super(parent, "draw", HTML)
    this.parts = Object.fromEntries(PARTS.map((name) => [name, this.get(`.${name}`)]))
    this.parts.brush.value = 85
    this.strokes = (data.strokes ?? []).map(({ w, p }) => ({ w, p: [...p] }))
    this.past = [] // what to go back to: one list of strokes for each undo
    this.seq = data.seq ?? 0 // number of the newest drawing
    this.sentSeq = this.seq // number of the newest drawing that was sent
    this.sentAt = 0
    this.pointer = null
    this.timer = null
    this.listen()
  }
  listen() {
    const { sheet, undo, clear, brush, raw } = this.parts
    sheet.onpointerdown = (event) => this.begin(event)
    sheet.onpointermove = (event) => this.extend(event)
    sheet.onpointerup = sheet.onpointercancel = (event) => this.finish(event)
    sheet.onkeydown = (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== "z") return
      event.preventDefault()
      this.undo()
    }
    undo.onclick = () => this.undo()
    clear.onclick = () => this.wipe()
    brush.oninput = () => this.showBrush()
    raw.onchange = () => this.showSeen()
  }
  update({ data, setStateValue }) {
    this.data = data
    this.send = setStateValue // always the newest: older ones are dead
    const { label, sheet } = this.parts
    label.textContent = data.label
    sheet.setAttribute("aria-label", data.label)
    if (this.size !== data.size) this.resize(data.size)
    this.showSeen()
    this.sayAnswered()
    this.schedule()
  }

  // Whether the digit shown is that of the newest strokes.
  sayAnswered() { this.root.dataset.answered = this.data.seq >= this.seq }
  end() { clearTimeout(this.timer); super.end() }
  resize(size) {
    this.size = size
    const { left, sheet } = this.parts
    left.style.width = `${size}px`
    sheet.style.width = sheet.style.height = `${size}px`
    sheet.width = sheet.height = Math.round(size * (window.devicePixelRatio || 1))
    this.showBrush()
    this.paint()
  }

  // ---- input ----
  where(event) { return placeIn(event, this.parts.sheet).map((v) => Math.round(1000 * clamp(v))) }
  begin(event) {
    if (this.pointer !== null || event.button !== 0) return // a second finger draws nothing
    event.preventDefault()
    this.parts.sheet.focus({ preventScroll: true })
    this.parts.sheet.setPointerCapture(event.pointerId)
    this.pointer = event.pointerId
    this.past.push(this.strokes)
    this.strokes = [...this.strokes, { w: Number(this.parts.brush.value), p: this.where(event) }]
    this.changed()
  }
  extend(event) {
    if (event.pointerId !== this.pointer) return
    const points = this.strokes.at(-1).p
    const events = event.getCoalescedEvents?.() ?? []
    for (const one of events.length ? events : [event]) {
      const [x, y] = this.where(one), [px, py] = points.slice(-2)
      if (Math.abs(x - px) + Math.abs(y - py) >= MIN_STEP) points.push(x, y)
    }
    this.changed()
  }
  finish(event) {
    if (event.pointerId !== this.pointer) return
    this.pointer = null
    this.changed()
  }
  wipe() {
    if (!this.strokes.length) return
    this.past.push(this.strokes)
    this.strokes = []
    this.changed()
  }
  undo() {
    if (this.pointer !== null || !(this.past.length || this.strokes.length)) return
    // After a page change the steps are gone but the strokes came back: take the last one away.
    this.strokes = this.past.length ? this.past.pop() : this.strokes.slice(0, -1)
    this.changed()
  }
  changed() {
    this.seq += 1
    this.sayAnswered()
    this.paint()
    this.schedule()
  }

  // ---- sending: newest wins, one at a time ----
  waitMs() {
    const since = performance.now() - this.sentAt
    const answered = this.data.seq >= this.sentSeq
    // A new value stops a script that still runs: wait, so that slow pages get to their end.
    const busy = document.querySelector("[data-test-script-state=running]") !== null
    if ((!answered || busy) && since < GIVE_UP_MS) return 15
    return Math.max(0, SEND_EVERY_MS - since)
  }
  schedule() {
    if (this.timer !== null || this.seq === this.sentSeq) return
    const wait = this.waitMs()
    if (wait > 0) {
      this.timer = setTimeout(() => {
        this.timer = null
        this.schedule()
      }, wait)
      return
    }
    this.sentSeq = this.seq
    this.sentAt = performance.now()
    this.send("drawing", { seq: this.seq, strokes: this.strokes })
  }

  // ---- painting ----
  paint() {
    const { sheet, undo, clear } = this.parts
    const side = sheet.width, pen = sheet.getContext("2d")
    const at = (v) => (v / 1000) * side
    pen.fillStyle = "#000"
    pen.fillRect(0, 0, side, side)
    if (!this.strokes.length) {
      Object.assign(pen, { fillStyle: "#777", font: `${side / 16}px sans-serif`, textAlign: "center" })
      pen.fillText(EMPTY_HINT, side / 2, side / 2)
    }
    pen.strokeStyle = "#fff"
    pen.lineCap = pen.lineJoin = "round"
    for (const { w, p } of this.strokes) {
      pen.lineWidth = at(w)
      pen.beginPath()
      pen.moveTo(at(p[0]), at(p[1]))
      for (let i = 0; i < p.length; i += 2) pen.lineTo(at(p[i]), at(p[i + 1]))
      pen.stroke()
    }
    undo.disabled = !(this.past.length || this.strokes.length)
    clear.disabled = !this.strokes.length
  }
  showBrush() {
    const { brush, dot } = this.parts
    dot.style.width = dot.style.height = `${(Number(brush.value) / 1000) * this.size}px`
    brush.title = `${Number(brush.value) / 10}% of the canvas side`
  }
  showSeen() {
    const { seen, caption, raw } = this.parts
    const bytes = fromText(raw.checked ? this.data.unframed : this.data.framed)
    const digit = bytes.length === 784 ? bytes : new Uint8Array(784)
    show(seen, paintPixels(digit, 1, new ImageData(28, 28), 255))
    caption.textContent = raw.checked
      ? "Your strokes at 28×28, not centred."
      : "What the model sees: 28×28, centred and scaled as MNIST was."
  }
}

export default component((parent, data) => new Sheet(parent, data))
