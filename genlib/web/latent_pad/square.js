import { clamp, onArrows, onDrag } from "../shared/hand.js"
import { canvasOf, circle, paintPixels, show, strokeLines } from "../shared/picture.js"

const SIDE = 600 // drawing size; CSS shows it at half of this, crisp on dense screens too
const TILES = 15 // at most, in a row
const SMALLEST = 32 // CSS pixels of a tile
const SLICE_MS = 6

/** The 2-D pad: two latents {i, low, high} as a plane, the codes of real digits as dots behind the
 * handle. For models with two latents it can show decoded pictures instead: the whole manifold. */
export class Square {
  /** @param {HTMLCanvasElement} canvas
   * @param {(u: number, v: number) => void} move called with the handle's new place, from (0, 0) at
   *   the lower left to (1, 1) */
  constructor(canvas, move) {
    canvas.width = canvas.height = SIDE
    this.pen = canvas.getContext("2d")
    this.dots = canvasOf(new ImageData(SIDE, SIDE))
    onDrag(canvas, (x, y) => move(clamp(x), clamp(1 - y)))
    onArrows(canvas, (right, down, { shiftKey }) => {
      const step = shiftKey ? 0.05 : 0.01
      move(clamp(this.u + right * step), clamp(this.v - down * step))
    })
  }

  /** Draw the handle at z's place in the plane of latents x and y. */
  draw(z, x, y, theme) {
    this.u = clamp((z[x.i] - x.low) / (x.high - x.low))
    this.v = clamp((z[y.i] - y.low) / (y.high - y.low))
    const { pen } = this, left = this.u * SIDE, top = (1 - this.v) * SIDE
    pen.clearRect(0, 0, SIDE, SIDE)
    pen.drawImage(this.dots, 0, 0)
    Object.assign(pen, { strokeStyle: theme.line, lineWidth: 2 })
    strokeLines(pen, [left, 0, left, SIDE], [0, top, SIDE, top])
    circle(pen, left, top, 16)
    Object.assign(pen, { fillStyle: theme.accent, lineWidth: 6, strokeStyle: theme.ground })
    pen.fill()
    pen.stroke()
  }

  /** Draw the dots of `shared` {cloud, labels}, codes of `count` latents each. */
  drawDots(shared, count, x, y, theme) {
    const pen = this.dots.getContext("2d"), { cloud, labels } = shared ?? {}
    pen.clearRect(0, 0, SIDE, SIDE)
    if (!cloud?.length) return
    pen.globalAlpha = 0.75
    for (let k = 0; k < labels.length; k++) {
      pen.fillStyle = theme.classes[labels[k] % theme.classes.length]
      const u = cloud[k * count + x.i] / 255, v = cloud[k * count + y.i] / 255
      pen.fillRect(u * SIDE - 2.5, (1 - v) * SIDE - 2.5, 5, 5)
    }
    pen.globalAlpha = 1
  }

  /** Decode the plane in slices of a few milliseconds, so that a drag never waits; `redraw` is
   * called after each, while `wanted()`. */
  drawTiles(decoder, x, y, wanted, redraw) {
    const { width, height, channels } = decoder, pen = this.dots.getContext("2d")
    const image = new ImageData(width, height), tile = canvasOf(image)
    const fit = Math.floor(this.pen.canvas.clientWidth / SMALLEST) || TILES
    const tiles = clamp(fit, 4, TILES), z = new Float32Array(2), side = SIDE / tiles
    let k = 0
    const slice = () => {
      if (!wanted()) return
      const until = performance.now() + SLICE_MS
      for (; k < tiles * tiles && performance.now() < until; k++) {
        const column = k % tiles, row = Math.floor(k / tiles)
        z[x.i] = x.low + ((column + 0.5) / tiles) * (x.high - x.low)
        z[y.i] = y.high - ((row + 0.5) / tiles) * (y.high - y.low)
        show(tile, paintPixels(decoder.decode(z), channels, image))
        pen.drawImage(tile, column * side, row * side, side, side)
      }
      redraw()
      if (k < tiles * tiles) requestAnimationFrame(slice)
    }
    slice()
  }
}
