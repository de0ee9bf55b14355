// A grid of kernels on one canvas. One weight is a whole number of CSS pixels, so that nothing is
// resampled. Hover: magnifier. Click or Enter: choose. Arrows: move the choice.
import { component, onArrows, View } from "../shared/hand.js"
import { unpack } from "../shared/packet.js"
import { enlarge, imageOf, resize, show } from "../shared/picture.js"
import { readTheme } from "../shared/theme.js"

const GAP = 3 // room for the frames
const LENS = 168 // CSS pixels
const AMBER = "#ff9f1a"
const HTML = `<div class="scroll"><canvas class="grid" tabindex="0" role="img"></canvas></div>
  <div class="lens" hidden><canvas></canvas><div class="note"></div></div>`

class KernelGrid extends View {
  constructor(parent) {
    super(parent, "kernels", HTML)
    const { get } = this
    Object.assign(this, { scroll: get(".scroll"), canvas: get(".grid"), lens: get(".lens"),
      glass: get(".lens canvas"), note: get(".note"), tile: document.createElement("canvas"), width: 0 })
    this.canvas.onmousemove = (event) => this.hover(this.at(event))
    this.canvas.onmouseleave = () => this.hover(-1)
    this.canvas.onclick = (event) => this.choose(this.at(event))
    onArrows(this.canvas, (right, down) => {
      const now = this.data.units.indexOf(this.data.selected)
      const next = now < 0 ? 0 : now + right + down * this.across
      if (next < this.data.units.length) this.choose(next)
    })
    this.watch = new ResizeObserver(() => { if (this.root.clientWidth !== this.width) this.layout() })
  }
  update({ data, setStateValue }) {
    this.data = unpack(data)
    this.emit = (unit) => setStateValue("unit", unit)
    this.accent = readTheme(this.root).accent
    this.scroll.style.maxHeight = `${this.data.height}px`
    this.layout()
    this.watch.observe(this.root)
  }
  end() { this.watch.disconnect(); super.end() }
  layout() {
    const { data: d, root, canvas } = this, n = d.units.length
    this.width = root.clientWidth
    const room = Math.max(this.width - 14, d.columns + GAP) // 14: the scroll bar
    // The largest whole scale at which the grid needs no scrolling, else scale 1 and a scroll bar.
    this.scale = [4, 3, 2].find((scale) => {
      const across = Math.floor(room / (d.columns * scale + GAP))
      return across >= 1 && Math.ceil(n / across) * (d.rows * scale + GAP) <= d.height
    }) ?? 1
    this.stepX = d.columns * this.scale + GAP
    this.stepY = d.rows * this.scale + GAP
    this.across = Math.max(1, Math.min(n, Math.floor(room / this.stepX)))
    resize(canvas, this.across * this.stepX + GAP, Math.ceil(n / this.across) * this.stepY + GAP)
    const { scale, across } = this
    Object.assign(canvas.dataset, { scale, across, marked: d.marked.filter(Boolean).length })
    canvas.setAttribute("aria-label", `${n} kernels; arrow keys choose one`)
    this.paint()
  }
  paint() {
    const { data: d, canvas } = this, pen = canvas.getContext("2d")
    pen.clearRect(0, 0, canvas.width, canvas.height)
    for (let i = 0; i < d.units.length; i++) {
      const x = GAP + (i % this.across) * this.stepX, y = GAP + Math.floor(i / this.across) * this.stepY
      this.enlarge(pen, i, x, y, this.scale)
      if (d.marked[i]) this.frame(pen, x, y, AMBER)
      if (d.units[i] === d.selected) this.frame(pen, x, y, this.accent)
    }
  }
  enlarge(pen, index, x, y, scale) {
    const { rows, columns, levels, palette } = this.data, start = index * rows * columns
    const colour = (k) => palette.subarray(3 * levels[start + k], 3 * levels[start + k] + 3)
    enlarge(pen, show(this.tile, imageOf(columns, rows, colour)), x, y, scale)
  }
  frame(pen, x, y, colour) {
    Object.assign(pen, { strokeStyle: colour, lineWidth: 2 })
    pen.strokeRect(x - 1, y - 1, this.stepX - GAP + 2, this.stepY - GAP + 2)
  }
  at(event) {
    const box = this.canvas.getBoundingClientRect()
    const column = Math.floor((event.clientX - box.left - GAP / 2) / this.stepX)
    const row = Math.floor((event.clientY - box.top - GAP / 2) / this.stepY)
    const index = row * this.across + column
    const inside = column >= 0 && column < this.across && row >= 0 && index < this.data.units.length
    return inside ? index : -1
  }
  hover(index) {
    this.lens.hidden = index < 0
    if (index < 0) return
    const { rows, columns, notes } = this.data, scale = Math.max(1, Math.round(LENS / columns))
    resize(this.glass, columns * scale, rows * scale)
    this.enlarge(this.glass.getContext("2d"), index, 0, 0, scale)
    this.note.textContent = notes[index]
    const x = (index % this.across) * this.stepX, right = x + this.stepX + 8, wide = columns * scale + 16
    const y = Math.floor(index / this.across) * this.stepY - this.scroll.scrollTop
    const left = right + wide < this.root.clientWidth ? right : Math.max(0, x - wide - 6)
    this.lens.style.left = `${left}px`
    this.lens.style.top = `${Math.max(0, y - 60)}px`
  }
  choose(index) {
    if (index < 0) return
    this.data = { ...this.data, selected: this.data.units[index] }
    this.paint() // at once; the server confirms
    this.emit(this.data.selected)
  }
}

export default component((parent) => new KernelGrid(parent))
