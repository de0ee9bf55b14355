// A block diagram that one can point at: every block and circle tells its rule, shapes, parameters
// and, where the model has run, its numbers.
import { component, View } from "../shared/hand.js"
import { readLink, writeLink } from "../shared/link.js"
import { unpack } from "../shared/packet.js"
import { show } from "../shared/picture.js"
import { readTheme } from "../shared/theme.js"
import { count, layOut, wirePath } from "./layout.js"

const HTML = `<div class="drawing"></div>
  <div class="told" aria-live="polite"><div class="text"></div><canvas hidden></canvas></div>`
const SVG = "http://www.w3.org/2000/svg"
const ORANGE = [255, 158, 40], BLUE = [70, 150, 255] // above and below zero, on black
const COLUMNS = 25 // of the squares that show a row of numbers

const sizeOf = (shape) => shape.join("×") || "1"
const many = (n) => n.toLocaleString("en")
const make = (name, attributes, ...children) => {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

/** Numbers as an image: maps side by side, a single image as it is, a row of numbers as squares.
 * @param {Float32Array} values @param {number[]} shape without the batch
 * @param {boolean} pixels whether they are pixels in [0, 1] @returns {ImageData} */
const imageOfValues = (values, shape, pixels) => {
  const maps = shape.length === 3, [, h, w] = maps ? shape : [1, 1, 1]
  const colour = pixels && shape[0] === 3, tiles = maps ? (colour ? 1 : values.length / (h * w)) : values.length
  const across = maps ? Math.min(tiles, 8) : Math.min(tiles, COLUMNS), pad = maps && tiles > 1 ? 1 : 0
  const image = new ImageData(across * (w + pad) - pad, Math.ceil(tiles / across) * (h + pad) - pad)
  const top = values.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-9)
  const paint = (at, v) => {
    const tint = pixels ? [255, 255, 255] : v < 0 ? BLUE : ORANGE, share = pixels ? v : Math.sqrt(Math.abs(v) / top)
    tint.forEach((c, k) => { image.data[at + k] = c * share })
    image.data[at + 3] = 255
  }
  for (let t = 0; t < tiles; t++) {
    const left = (t % across) * (w + pad), up = Math.floor(t / across) * (h + pad)
    for (let i = 0; i < h * w; i++) {
      const at = 4 * ((up + Math.floor(i / w)) * image.width + left + (i % w))
      paint(at, values[t * h * w + i])
      if (colour) for (let c = 0; c < 3; c++) image.data[at + c] = 255 * values[c * h * w + i]
    }
  }
  return image
}

class Architecture extends View {
  constructor(parent) {
    super(parent, "architecture", HTML)
    this.resizing = new ResizeObserver(() => this.draw())
    this.resizing.observe(this.get(".drawing"))
  }
  update({ data }) {
    this.data = unpack(data)
    this.root.dataset.title = this.data.title
    this.width = 0
    this.draw()
    const { linked, alone } = this.data, start = (alone && readLink(linked).at) || this.data.start
    const known = (key) => this.items.some((item) => item.key === key)
    this.touched ||= known(start)
    this.root.classList.toggle("waiting", !this.touched)
    const fresh = start !== this.start // the link has chosen another one since
    this.start = start
    this.root.classList.toggle("chosen", known(start) && !this.data.roles)
    this.tell([fresh ? start : this.at, start, this.items[0].key].find(known))
  }
  end() { this.resizing.disconnect(); super.end() }

  draw() {
    const room = this.get(".drawing").clientWidth
    if (!room || !this.data || room === this.width) return
    this.width = room
    const { data } = this, plan = layOut(data, room), { wide, boxes } = plan
    readTheme(this.root)
    const svg = make("svg", { width: plan.width, height: plan.height, role: "group", "aria-label": data.title })
    svg.append(make("defs", {}, make("marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7,
      markerHeight: 7, orient: "auto" }, make("path", { d: "M0 0 L8 4 L0 8 z", class: "head" }))))
    for (const w of data.wires) {
      const losing = data.dots.find((d) => d.key === w.end)?.role === "loss"
      svg.append(make("path", { d: wirePath(boxes[w.start], boxes[w.end], wide, w.under ? 1 : 0),
        class: losing ? "wire loss" : "wire", "marker-end": "url(#tip)" }))
    }
    this.items = []
    this.wide = wide
    for (const part of data.parts) this.drawPart(svg, part, boxes, wide)
    for (const dot of data.dots) this.drawDot(svg, dot, boxes[dot.key])
    this.items.sort((a, b) => (wide ? a.box.x - b.box.x || a.box.y - b.box.y : a.box.y - b.box.y || a.box.x - b.box.x))
    this.get(".drawing").replaceChildren(svg)
    if (this.at) this.mark()
  }
  // Something that can be pointed at, focused, and told about.
  item(svg, key, box, label, group) {
    group.setAttribute("tabindex", "0")
    group.setAttribute("role", "img")
    group.setAttribute("aria-label", label)
    group.dataset.key = key
    group.onpointerenter = group.onfocus = () => this.choose(key)
    group.onclick = () => {
      this.choose(key)
      if (this.data.linked) writeLink(this.data.linked, { at: key })
    }
    group.onkeydown = (event) => this.key(event, key)
    this.items.push({ key, box, group })
    svg.append(group)
  }
  drawPart(svg, part, boxes, wide) {
    const { x, y, width, height } = boxes[part.key]
    const title = this.data.roles || !wide ? `${part.title}, ${part.role}` : part.title
    const text = (line, at) => make("text", { x: x + width / 2, y: at, class: line ? "title" : "note" })
    const group = make("g", { class: "part" }, make("rect", { x, y, width, height, rx: 10 }))
    const name = text(true, y + 17), note = text(false, y + height - 8)
    name.textContent = this.fits(title, wide ? width + 40 : width - 8) ? title : part.title
    note.textContent = part.blocks.length ? many(part.parameters) : "no layers"
    group.append(name, note)
    if (wide && this.data.roles && name.textContent === part.title) {
      const role = make("text", { x: x + width / 2, y: y - 6, class: "note" })
      role.textContent = part.role
      group.append(role)
    }
    this.item(svg, part.key, { x, y }, `${title}: ${many(part.parameters)} parameters`, group)
    part.blocks.forEach((block, k) => {
      const key = `${part.key}.${k}`, box = boxes[key], kinds = block.layers.map((l) => l.kind).join(", ")
      const middle = [box.x + box.width / 2, box.y + box.height / 2]
      const shape = make("text", { x: middle[0], y: middle[1], class: "shape" })
      if (wide) shape.setAttribute("transform", `rotate(-90 ${middle})`)
      shape.textContent = sizeOf(block.shape)
      const bar = make("g", { class: block.noisy ? "bar noisy" : "bar" }, make("rect", { ...box, rx: 4 }), shape)
      this.item(svg, key, box, `${kinds}, gives ${sizeOf(block.shape)}, ${many(block.parameters)} parameters`, bar)
    })
  }
  fits(text, width) { return text.length * 7.6 < width }
  drawDot(svg, dot, box) {
    const { x, y, width, height } = box, group = make("g", { class: `dot ${dot.role}` })
    const values = this.data[`values.${dot.key}`], image = values && dot.shape.length === 3
    group.append(dot.role === "loss" ? make("rect", { x, y, width, height, rx: 6 })
      : make("circle", { cx: x + width / 2, cy: y + height / 2, r: width / 2 }))
    if (image) {
      const canvas = show(document.createElement("canvas"), imageOfValues(values, dot.shape, true))
      group.append(make("image", { x: x + 9, y: y + 9, width: width - 18, height: height - 18, href: canvas.toDataURL() }))
    }
    const symbol = make("text", { x: x + width / 2, y: image ? y - 4 : y + height / 2, class: image ? "symbol above" : "symbol" })
    const [main, below] = dot.symbol.split("_")
    symbol.append(main)
    if (below) symbol.append(make("tspan", { dy: 5, "font-size": 14 }, below))
    group.append(symbol)
    this.item(svg, dot.key, box, `${dot.title}, ${dot.symbol}`, group)
  }

  key(event, key) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    if (!by) return
    event.preventDefault()
    event.stopPropagation()
    const at = this.items.findIndex((item) => item.key === key)
    this.items[(at + by + this.items.length) % this.items.length].group.focus()
  }

  // ---- the panel under the drawing ----
  mark() { for (const { key, group } of this.items) group.classList.toggle("at", key === this.at) }
  /** Somebody points at it. Upright the panel lies on the drawing, but not on this. */
  choose(key) {
    const grows = !this.touched && !this.wide
    this.touched = true
    this.root.classList.remove("waiting")
    this.tell(key)
    if (grows) this.items.find((item) => item.key === key).group.scrollIntoView({ block: "nearest" })
  }
  tell(key) {
    this.at = key
    this.root.dataset.at = key
    this.mark()
    const { parts, dots } = this.data, [name, k] = key.split(".")
    const dot = dots.find((d) => d.key === key), part = parts.find((p) => p.key === name), block = part?.blocks[k]
    const lines = dot ? this.ofDot(dot) : block ? this.ofBlock(part, block, Number(k)) : this.ofPart(part)
    this.get(".text").replaceChildren(...lines.map(([kind, text]) => {
      const line = document.createElement(kind)
      line.textContent = text
      return line
    }))
    this.paint(this.data[`values.${key}`], (dot ?? block)?.shape ?? [], dot?.shape.length === 3)
  }
  ofDot(dot) {
    const shape = dot.shape.length ? [["p", `Shape ${sizeOf(dot.shape)}: ${many(count(dot.shape))} ${count(dot.shape) > 1 ? "numbers" : "number"}.`]] : []
    return [["b", dot.role === "loss" ? dot.title : `${dot.symbol}: ${dot.title}`], ["p", dot.text], ...shape]
  }
  ofPart(part) {
    const what = part.blocks.length ? `${many(part.parameters)} parameters in ${part.blocks.length} blocks. Point at one or tap it.`
      : "It has no layers of its own: a formula on the other part's weights."
    return [["b", `${part.title}: ${part.role}`], ["p", what]]
  }
  ofBlock(part, block, k) {
    const [first] = block.layers, learnt = `${many(block.parameters)} parameters`
    return [
      ["b", `${part.title}, block ${k + 1}: ${sizeOf(first.in)} → ${sizeOf(block.shape)}, ${learnt}`],
      ...block.layers.map((l) => ["p", `${l.kind}${l.name ? ` (${l.name})` : ""}: ${l.equation || "a rule of its own"}`]),
    ]
  }
  paint(values, shape, pixels) {
    const canvas = this.get("canvas")
    canvas.hidden = !values
    this.get(".told").classList.toggle("valued", Boolean(values))
    if (!values) return
    show(canvas, imageOfValues(values, shape, pixels))
    let [low, high] = [Infinity, -Infinity]
    for (const v of values) low = Math.min(low, v), high = Math.max(high, v)
    const grows = Math.max(1, Math.floor(Math.min(300 / canvas.width, 112 / canvas.height)))
    canvas.style.width = `${Math.min(300, canvas.width * grows)}px`
    const said = document.createElement("small")
    const part = shape.length === 3 && shape[0] * shape[1] * shape[2] > values.length ? `, first ${values.length / (shape[1] * shape[2])} maps` : ""
    const zeros = values.reduce((n, v) => n + (v === 0), 0)
    const silent = zeros && !pixels && !part ? `${many(zeros)} of ${many(values.length)} are 0; ` : ""
    said.textContent = `${silent}${low.toFixed(2)} to ${high.toFixed(2)}${pixels ? "" : "; orange above 0, blue below"}${part}`
    this.get(".text").append(said)
  }
}

export default component((parent) => new Architecture(parent))
