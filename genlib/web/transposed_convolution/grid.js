// A square of numbers on a canvas: shown, pointed at, painted, walked with arrow keys.
import { onArrows, placeIn } from "../shared/hand.js"
import { penFor } from "../shared/picture.js"
import { say } from "./words.js"

/** The smallest type, in pixels; where it doesn't fit, a cell shows its colour alone. */
const LEAST_TYPE = 14
const LARGEST_TYPE = 20, MOST_TINT = 0.62, LEAST_TINT = 0.1

/** @typedef {object} Look the colours of a drawing: `theme` of readTheme, `mark` of highlights, and
 *   `minus` of cells below 0 */

/** Fill a cell as strongly as its value says. @param {CanvasRenderingContext2D} pen @param {Look} look
 * @param {string} colour @param {number} share of the largest value, from -1 to 1 */
export const tint = (pen, look, colour, share, x, y, width, height = width) => {
  if (!share) return
  pen.globalAlpha = LEAST_TINT + (MOST_TINT - LEAST_TINT) * Math.min(1, Math.abs(share))
  pen.fillStyle = share < 0 ? look.minus : colour
  pen.fillRect(x, y, width, height)
  pen.globalAlpha = 1
}

/** The size of type in which all these texts fit into cells, or 0 where none is large enough.
 * @param {CanvasRenderingContext2D} pen @param {Look} look @param {string[]} texts */
export const typeFor = (pen, look, texts, width, height = width) => {
  const longest = texts.reduce((a, b) => (b.length > a.length ? b : a), "")
  for (let size = Math.min(LARGEST_TYPE, Math.floor(height * 0.84)); size >= LEAST_TYPE; size--) {
    pen.font = `${size}px ${look.theme.font}`
    if (pen.measureText(longest).width <= width - 3) return size
  }
  return 0
}

/** Write a text into the middle of a cell. @param {CanvasRenderingContext2D} pen */
export const write = (pen, text, x, y, width, height = width) => {
  pen.textAlign = "center"
  pen.textBaseline = "middle"
  pen.fillText(text, x + width / 2, y + height / 2 + 1)
}

/** A frame just inside a rectangle. @param {CanvasRenderingContext2D} pen @param {number} line */
export const frame = (pen, colour, line, x, y, width, height, dash = []) => {
  pen.strokeStyle = colour
  pen.lineWidth = line
  pen.setLineDash(dash)
  pen.strokeRect(x + line / 2, y + line / 2, width - line, height - line)
  pen.setLineDash([])
}

/** What one drawing of a grid shows. All lists are as long as it has cells.
 * @typedef {object} Picture @property {number} side @property {ArrayLike<number>} values
 * @property {string} colour @property {(cell: number) => boolean} [known] whether there is a number yet
 * @property {(cell: number) => boolean} [empty] cells without a value of their own: inserted zeros
 * @property {Map<number, "main" | "part">} [marks] highlighted cells
 * @property {[number, number, number, number] | null} [window] row, column, rows, columns of a frame */

export class Grid {
  /** @param {HTMLCanvasElement} canvas focusable, with an aria-label
   * @param {{over: (cell: number | null) => void, pick?: (cell: number) => void,
   *   paint?: (cell: number, first: boolean) => void, type?: (cell: number, key: string) => void}} on
   *   the pointer is over a cell, or leaves; a click or Enter picks a cell; a drag paints; a key is
   *   typed. A grid with `paint` is painted instead of picked from. */
  constructor(canvas, on) {
    Object.assign(this, { canvas, on, side: 1, cell: 1, cursor: 0 })
    this.follow(on)
    canvas.onfocus = () => this.walk(0, 0)
    canvas.onblur = () => { // only what the keyboard points at ends; the pointer may be elsewhere by now
      if (this.focused) on.over(null)
      this.focused = false
    }
    onArrows(canvas, (right, down) => this.walk(right, down))
    const arrows = canvas.onkeydown
    canvas.onkeydown = (event) => {
      if (event.key === "Enter" && on.pick) on.pick(this.cursor)
      else if (on.type && /^[-+0-9.]$|^(Enter|Delete|Backspace)$/.test(event.key) && !event.ctrlKey && !event.metaKey)
        on.type(this.cursor, event.key)
      else return arrows(event)
      event.preventDefault()
    }
  }
  follow(on) {
    const { canvas } = this
    canvas.style.touchAction = on.paint ? "none" : "pan-y"
    canvas.onpointermove = (event) => {
      const cell = this.cellAt(event)
      if (canvas.hasPointerCapture(event.pointerId)) return cell !== null && this.brush(cell, false)
      if (event.pointerType !== "touch") on.over(cell)
    }
    canvas.onpointerleave = () => on.over(this.focused ? this.cursor : null)
    canvas.onpointerdown = (event) => {
      const cell = this.cellAt(event)
      if (!on.paint || cell === null || event.button) return
      canvas.setPointerCapture(event.pointerId)
      this.brush(cell, true)
    }
    // A click, not a press: a finger that scrolls the page picks nothing.
    canvas.onclick = (event) => {
      const cell = this.cellAt(event)
      if (cell === null) return
      this.cursor = cell
      if (!on.paint) on.pick?.(cell)
    }
  }
  brush(cell, first) {
    if (!first && cell === this.cursor) return
    this.cursor = cell
    this.on.paint(cell, first)
  }
  walk(right, down) {
    const { side } = this, before = Math.min(this.cursor, side * side - 1)
    const row = Math.floor(before / side) + down, column = (before % side) + right
    const stays = Math.min(row, column) < 0 || Math.max(row, column) >= side
    this.cursor = stays ? before : row * side + column
    this.focused = this.canvas.matches(":focus-visible")
    if (this.focused) this.on.over(this.cursor)
  }

  /** The cell under the pointer, or null. @param {PointerEvent | MouseEvent} event */
  cellAt(event) {
    const [x, y] = placeIn(event, this.canvas), { side } = this
    const row = Math.floor(y * side), column = Math.floor(x * side)
    return Math.min(row, column) < 0 || Math.max(row, column) >= side ? null : row * side + column
  }

  /** Choose the size of cells. @param {number} side cells in a row @param {number} width it may have
   * @param {number} [largest] cell in pixels */
  resize(side, width, largest = 44) {
    this.side = side
    this.cell = Math.max(4, Math.min(largest, Math.floor(width / side)))
    const size = `${side * this.cell}px`
    Object.assign(this.canvas.style, { width: size, height: size })
  }

  /** @param {Look} look @param {Picture} picture */
  draw(look, picture) {
    const { cell, side } = this, { values, colour, known = () => true, empty = () => false } = picture
    const { marks = new Map(), window: shown } = picture
    const pen = penFor(this.canvas, side * cell, side * cell), texts = Array.from(values, say)
    pen.clearRect(0, 0, side * cell, side * cell)
    const most = Math.max(1e-9, ...Array.from(values, Math.abs))
    const type = typeFor(pen, look, texts, cell)
    for (let q = 0; q < side * side; q++) {
      const x = (q % side) * cell, y = Math.floor(q / side) * cell
      if (!known(q)) continue
      if (!empty(q)) tint(pen, look, colour, values[q] / most, x, y, cell)
      if (!type || (empty(q) && cell < 20)) continue
      pen.fillStyle = look.theme.text
      pen.globalAlpha = empty(q) ? 0.45 : 1
      pen.font = `${type}px ${look.theme.font}`
      write(pen, texts[q], x, y, cell)
      pen.globalAlpha = 1
    }
    this.drawLines(pen, look)
    for (const kind of ["part", "main"])
      for (const [q, mark] of marks)
        if (mark === kind)
          frame(pen, look.mark, this.line(kind), (q % side) * cell, Math.floor(q / side) * cell, cell, cell)
    if (shown) {
      const [row, column, rows, columns] = shown
      frame(pen, look.theme.text, 2, column * cell, row * cell, columns * cell, rows * cell, [5, 4])
    }
  }
  line(kind) { return Math.max(1, Math.min(kind === "main" ? 4 : 2, this.cell / 5)) }
  drawLines(pen, look) {
    const { cell, side } = this, all = side * cell
    pen.strokeStyle = look.theme.line
    pen.lineWidth = 1
    pen.globalAlpha = cell < 12 ? 0.5 : 1
    pen.beginPath()
    for (let q = 0; q <= side; q++) {
      const at = Math.min(all - 0.5, q * cell + 0.5)
      pen.moveTo(at, 0), pen.lineTo(at, all)
      pen.moveTo(0, at), pen.lineTo(all, at)
    }
    pen.stroke()
    pen.globalAlpha = 1
  }
}
