// The whole operation as one matrix times one vector: C' x = y, or C alone.
//
//     |        C'        | x | = | y |      a column for each input cell, a row for each output cell
//
// Where its numbers don't fit, every entry is a dot of colour; `close` adds a part with numbers, above
// which x lies flat.
import { onArrows, placeIn } from "../shared/hand.js"
import { imageOf, canvasOf, penFor } from "../shared/picture.js"
import { frame, tint, typeFor, write } from "./grid.js"
import { say } from "./words.js"

const LARGEST = { width: 40, height: 27 } // a cell
const LEAST_HEIGHT = 18 // of a cell with a number in it
const SIGN = 22 // pixels for a dot or an equals sign
const MAP = 0.16 // share of the width for the overview next to a close part

/** @typedef {object} Picture @property {boolean} transposed C' with its vectors, or C alone
 * @property {number} rows @property {number} columns @property {Int16Array} cells kernel cell or -1
 * @property {number[]} x @property {number[]} w @property {ArrayLike<number>} y
 * @property {(output: number) => boolean} known @property {boolean} close
 * @property {Map<number, string>} inputs marked columns @property {Map<number, string>} outputs
 * @property {Map<number, string>} kernels @property {number | null} entry the marked entry
 * @property {{x: string, w: string, y: string}} colours */

export class Matrix {
  /** @param {HTMLCanvasElement} canvas @param {{over: (entry: number | null) => void,
   *   pick: (entry: number) => void}} on entries of C', row * columns + column */
  constructor(canvas, on) {
    Object.assign(this, { canvas, on, from: [0, 0], cursor: [0, 0], spots: [] })
    canvas.style.touchAction = "pan-y"
    canvas.onpointermove = (event) => { if (event.pointerType !== "touch") on.over(this.entryAt(event)) }
    canvas.onpointerleave = () => on.over(null)
    canvas.onclick = (event) => {
      const entry = this.entryAt(event)
      if (entry !== null) on.pick(entry)
    }
    canvas.onblur = () => { if (this.walked) on.over(null); this.walked = false }
    onArrows(canvas, (right, down) => this.walk(right, down))
    const arrows = canvas.onkeydown
    canvas.onkeydown = (event) => {
      if (event.key !== "Enter") return arrows(event)
      on.pick(this.entryOf(...this.cursor))
      event.preventDefault()
    }
  }
  walk(right, down) {
    const { rows, columns } = this.shape, [row, column] = this.cursor
    this.walked = true
    this.cursor = [Math.min(rows - 1, Math.max(0, row + down)), Math.min(columns - 1, Math.max(0, column + right))]
    this.on.over(this.entryOf(...this.cursor))
  }

  // The entry of C', whichever of the two is shown.
  entryOf(row, column) {
    const { rows, columns, transposed } = this.shape
    return transposed ? row * columns + column : column * rows + row
  }
  entryAt(event) {
    const [u, v] = placeIn(event, this.canvas), x = u * this.width, y = v * this.height
    for (const { left, top = 0, row, column, rows, columns, width, height } of this.spots) {
      const r = Math.floor((y - top) / height), c = Math.floor((x - left) / width)
      if (x < left || r < 0 || r >= rows || c >= columns) continue
      this.cursor = [row + r, column + c]
      return this.entryOf(...this.cursor)
    }
    return null
  }

  /** @param {import("./grid.js").Look} look @param {Picture} picture
   * @param {number} width of the canvas at most @param {number} height */
  draw(look, picture, width, height) {
    const shape = picture.transposed ? picture : { ...picture, rows: picture.columns, columns: picture.rows }
    this.shape = { rows: shape.rows, columns: shape.columns, transposed: picture.transposed }
    const vectors = picture.transposed ? 2 : 0, room = width - (vectors ? 2 * SIGN : 0)
    const size = {
      width: Math.min(LARGEST.width, room / (shape.columns + vectors)),
      height: Math.min(LARGEST.height, height / Math.max(shape.rows, vectors ? shape.columns : 0)),
    }
    const pen = this.canvas.getContext("2d")
    const texts = [...picture.w, ...(vectors ? [...picture.x, ...picture.y] : [])].map(say)
    const fits = (cell) => cell.height >= LEAST_HEIGHT && typeFor(pen, look, texts, cell.width, cell.height)
    const whole = { row: 0, column: 0, rows: shape.rows, columns: shape.columns }
    const parts = []
    if (fits(size) || !picture.close) parts.push({ ...whole, ...size, left: 0, vectors, type: fits(size) })
    else parts.push(...this.closely(pen, look, picture, whole, width, height, texts))
    const signs = ({ vectors: count, top }) => (count ? (top ? 1 : 2) * SIGN : 0)
    this.width = Math.max(...parts.map((part) => part.left + (part.columns + part.vectors) * part.width + signs(part)))
    this.height = Math.max(...parts.map((part) =>
      (part.top ?? 0) + Math.max(part.rows, part.vectors && !part.top ? part.columns : 0) * part.height))
    Object.assign(this.canvas.style, { width: `${this.width}px`, height: `${this.height}px` })
    this.spots = parts
    penFor(this.canvas, this.width, this.height).clearRect(0, 0, this.width, this.height)
    for (const part of parts) this.drawPart(pen, look, picture, part)
  }

  // An overview, and next to it as many rows and columns as numbers fit in, around what is marked.
  closely(pen, look, picture, whole, width, height, texts) {
    const longest = texts.reduce((a, b) => (b.length > a.length ? b : a), "")
    pen.font = `14px ${look.theme.font}`
    const cell = { width: Math.ceil(pen.measureText(longest).width) + 8, height: 22 }
    const vectors = picture.transposed ? 1 : 0, left = Math.round(width * MAP) + 24
    const top = vectors ? cell.height + 8 : 0 // x above the columns
    const columns = Math.min(whole.columns, Math.floor((width - left - vectors * SIGN) / cell.width) - vectors)
    const rows = Math.min(whole.rows, Math.floor((height - top) / cell.height))
    const first = (marks) => { for (const [q, kind] of marks) if (kind === "main") return q; return marks.keys().next().value }
    const marked = picture.transposed ? [first(picture.outputs), first(picture.inputs)] : [first(picture.inputs), first(picture.outputs)]
    const from = [[rows, whole.rows], [columns, whole.columns]].map(([seen, all], axis) => {
      const at = marked[axis], before = Math.min(this.from[axis], all - seen)
      const inside = at === undefined || (at >= before && at < before + seen)
      return inside ? before : Math.min(all - seen, Math.max(0, at - Math.floor(seen / 2)))
    })
    this.from = from
    const map = { width: Math.min(LARGEST.width, (width * MAP) / whole.columns), height: Math.min(LARGEST.height, height / whole.rows) }
    return [
      { ...whole, ...map, left: 0, vectors: 0, type: 0, shown: [...from, rows, columns] },
      { row: from[0], column: from[1], rows, columns, ...cell, left, top, vectors, type: 14 },
    ]
  }
  drawPart(pen, look, picture, part) {
    if (part.type) this.drawNumbers(pen, look, picture, part)
    else this.drawDots(pen, look, picture, part)
    if (part.vectors) this.drawVectors(pen, look, picture, part)
    this.drawMarks(pen, look, picture, part)
  }

  // The kernel cell in a row and column of what is shown.
  kernelAt(picture, row, column) {
    return picture.transposed ? picture.cells[row * picture.columns + column] : picture.cells[column * picture.columns + row]
  }
  drawNumbers(pen, look, picture, { row, column, rows, columns, width, height, left, top = 0, type }) {
    const { w } = picture, most = Math.max(1e-9, ...w.map(Math.abs))
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) {
        const t = this.kernelAt(picture, row + r, column + c), x = left + c * width, y = top + r * height
        if (t >= 0) tint(pen, look, picture.colours.w, w[t] / most, x, y, width, height)
        pen.fillStyle = look.theme.text
        pen.globalAlpha = t < 0 ? 0.35 : 1
        pen.font = `${type}px ${look.theme.font}`
        write(pen, t < 0 ? "·" : say(w[t]), x, y, width, height)
        pen.globalAlpha = 1
      }
    pen.globalAlpha = 0.6
    frame(pen, look.theme.line, 1, left, top, columns * width, rows * height)
    pen.globalAlpha = 1
  }
  drawDots(pen, look, picture, { rows, columns, width, height, left }) {
    const { w } = picture, most = Math.max(1e-9, ...w.map(Math.abs))
    const [back, plus, minus] = [look.theme.soft, picture.colours.w, look.minus].map((colour) => channels(pen, colour))
    const image = imageOf(columns, rows, (q) => {
      const t = this.kernelAt(picture, Math.floor(q / columns), q % columns)
      if (t < 0) return back
      const share = 0.35 + (0.65 * Math.abs(w[t])) / most, colour = w[t] < 0 ? minus : plus
      return back.map((v, k) => v + share * (colour[k] - v))
    })
    pen.imageSmoothingEnabled = height < 1
    pen.drawImage(canvasOf(image), left, 0, columns * width, rows * height)
    frame(pen, look.theme.line, 1, left, 0, columns * width, rows * height)
  }
  drawVectors(pen, look, picture, part) {
    const { row, column, rows, columns, width, height, type, top } = part, [xPlace, yPlace] = vectorsAt(part)
    const strip = (values, from, count, place, colour, known = () => true) => {
      const most = Math.max(1e-9, ...Array.from(values, Math.abs))
      for (let q = 0; q < count; q++) {
        if (!known(from + q)) continue
        tint(pen, look, colour, values[from + q] / most, ...place(q), width, height)
        if (!type) continue
        pen.fillStyle = look.theme.text
        pen.font = `${type}px ${look.theme.font}`
        write(pen, say(values[from + q]), ...place(q), width, height)
      }
      const [x0, y0] = place(0), [x1, y1] = place(count - 1)
      frame(pen, look.theme.line, 1, x0, y0, x1 - x0 + width, y1 - y0 + height)
    }
    strip(picture.x, column, columns, xPlace, picture.colours.x)
    strip(picture.y, row, rows, yPlace, picture.colours.y, picture.known)
    pen.fillStyle = look.theme.text
    pen.font = `18px ${look.theme.font}`
    const middle = top ? top + (rows * height) / 2 - 11 : (Math.min(columns, rows) * height) / 2 - 11
    if (!top) write(pen, "·", xPlace(0)[0] - SIGN, middle, SIGN, 22)
    write(pen, "=", yPlace(0)[0] - SIGN, middle, SIGN, 22)
  }
  drawMarks(pen, look, picture, part) {
    const { row, column, rows, columns, width, height, left, top = 0, shown } = part, { inputs, outputs, kernels, transposed } = picture
    const [across, down] = transposed ? [inputs, outputs] : [outputs, inputs]
    const single = (marks) => [...marks].filter(([, kind]) => kind === "main").map(([q]) => q)
    for (const c of single(across))
      if (c >= column && c < column + columns)
        frame(pen, look.mark, 3, left + (c - column) * width - 1, top, Math.max(5, width + 2), rows * height)
    for (const r of single(down))
      if (r >= row && r < row + rows)
        frame(pen, look.mark, 3, left, top + (r - row) * height - 1, columns * width, Math.max(5, height + 2))
    if (part.vectors) this.markVectors(pen, look, picture, part)
    const wanted = single(kernels)
    for (let r = 0; wanted.length && part.type && r < rows; r++)
      for (let c = 0; c < columns; c++)
        if (wanted.includes(this.kernelAt(picture, row + r, column + c)))
          frame(pen, look.mark, 2, left + c * width, top + r * height, width, height)
    if (shown) frame(pen, look.theme.text, 1, shown[1] * width, shown[0] * height, shown[3] * width, shown[2] * height, [4, 3])
  }
  markVectors(pen, look, picture, part) {
    const { row, column, rows, columns, width, height } = part, [xPlace, yPlace] = vectorsAt(part)
    const lists = [[picture.inputs, column, columns, xPlace], [picture.outputs, row, rows, yPlace]]
    for (const [marks, from, count, place] of lists)
      for (const [q, kind] of marks)
        if (q >= from && q < from + count)
          frame(pen, look.mark, Math.min(height / 2, kind === "main" ? 3 : 1.5), ...place(q - from), width, height)
  }
}

// Where the numbers of x and of y stand next to a part of C', or of x above it.
const vectorsAt = ({ left, columns, width, height, top }) => {
  const after = left + columns * width + SIGN
  if (top) return [(q) => [left + q * width, 0], (q) => [after, top + q * height]]
  return [(q) => [after, q * height], (q) => [after + width + SIGN, q * height]]
}

// A CSS colour as red, green and blue, as the browser itself reads it.
const channels = (pen, colour) => {
  const before = pen.fillStyle
  pen.fillStyle = colour
  const found = pen.fillStyle
  pen.fillStyle = before
  return [1, 3, 5].map((k) => parseInt(found.slice(k, k + 2), 16))
}
