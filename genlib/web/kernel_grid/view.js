// A grid of kernels on one canvas. One weight is a whole number of CSS pixels, so that nothing is
// resampled. Hover: magnifier. Click or Enter: choose. Arrows: move the choice.
import { component, onArrows } from "../shared/hand.js"
import { unpack } from "../shared/packet.js"
import { readTheme } from "../shared/theme.js"

const GAP = 3 // room for the frames
const LENS = 168 // CSS pixels
const AMBER = "#ff9f1a"
const HTML = `<div class="scroll"><canvas class="grid" tabindex="0" role="img"></canvas></div>
  <div class="lens" hidden><canvas></canvas><div class="note"></div></div>`

const picture = ({ rows, columns, levels, palette }, index, scale) => {
  const image = new ImageData(columns * scale, rows * scale)
  const start = index * rows * columns
  for (let y = 0, out = 0; y < rows * scale; y++) {
    const row = start + Math.floor(y / scale) * columns
    for (let x = 0; x < columns * scale; x++) {
      const colour = 3 * levels[row + Math.floor(x / scale)]
      image.data[out++] = palette[colour]
      image.data[out++] = palette[colour + 1]
      image.data[out++] = palette[colour + 2]
      image.data[out++] = 255
    }
  }
  return image
}

class KernelGrid {
  constructor(parent) {
    this.root = parent.querySelector(".kernels")
    this.root.innerHTML = HTML
    const get = (selector) => this.root.querySelector(selector)
    Object.assign(this, { scroll: get(".scroll"), canvas: get(".grid"), lens: get(".lens"),
      glass: get(".lens canvas"), note: get(".note"), width: 0 })
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
  end() { this.watch.disconnect() }
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
    canvas.width = this.across * this.stepX + GAP
    canvas.height = Math.ceil(n / this.across) * this.stepY + GAP
    canvas.dataset.scale = this.scale
    canvas.dataset.across = this.across
    canvas.dataset.marked = d.marked.filter(Boolean).length
    canvas.setAttribute("aria-label", `${n} kernels; arrow keys choose one`)
    this.paint()
  }
  paint() {
    const { data: d, canvas } = this, pen = canvas.getContext("2d")
    pen.clearRect(0, 0, canvas.width, canvas.height)
    for (let i = 0; i < d.units.length; i++) {
      const x = GAP + (i % this.across) * this.stepX, y = GAP + Math.floor(i / this.across) * this.stepY
      pen.putImageData(picture(d, i, this.scale), x, y)
      if (d.marked[i]) this.frame(pen, x, y, AMBER)
      if (d.units[i] === d.selected) this.frame(pen, x, y, this.accent)
    }
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
    const d = this.data, image = picture(d, index, Math.max(1, Math.round(LENS / d.columns)))
    this.glass.width = image.width
    this.glass.height = image.height
    this.glass.getContext("2d").putImageData(image, 0, 0)
    this.note.textContent = d.notes[index]
    const x = (index % this.across) * this.stepX, right = x + this.stepX + 8, wide = image.width + 16
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
