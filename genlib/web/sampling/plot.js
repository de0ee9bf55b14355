// Axes, lines, bars and dots on a canvas, in the coordinates of the data.

const LEFT = 34, RIGHT = 8, TOP = 24, FLOOR = 22
const FONT_PX = 14

export class Plot {
  /** @param {{pen: CanvasRenderingContext2D, width: number, height: number}} sheet @param {object} theme
   * @param {{x: [number, number], y: [number, number]}} range */
  constructor({ pen, width, height }, theme, { x, y }) {
    Object.assign(this, { pen, width, height, theme, range: { x, y } })
    pen.fillStyle = theme.ground
    pen.fillRect(0, 0, width, height)
  }
  across(x) {
    const [low, high] = this.range.x
    return LEFT + ((this.width - LEFT - RIGHT) * (x - low)) / (high - low)
  }
  up(y) {
    const [low, high] = this.range.y
    return this.height - FLOOR - ((this.height - FLOOR - TOP) * (y - low)) / (high - low)
  }
  /** Where a pointer at shares (left, top) of the canvas is. @returns {[number, number]} */
  static at(canvas, { x, y }, left, top) {
    const { clientWidth: width, clientHeight: height } = canvas
    return [
      x[0] + ((left * width - LEFT) / (width - LEFT - RIGHT)) * (x[1] - x[0]),
      y[0] + ((height - FLOOR - top * height) / (height - FLOOR - TOP)) * (y[1] - y[0]),
    ]
  }
  #clipped(draw) {
    const { pen } = this
    pen.save()
    pen.beginPath()
    pen.rect(LEFT, TOP - 2, this.width - LEFT - RIGHT, this.height - FLOOR - TOP + 4)
    pen.clip()
    draw(pen)
    pen.restore()
  }
  axes(ticks) {
    const { pen, theme, range } = this
    pen.font = `${FONT_PX}px ${theme.font}`
    pen.strokeStyle = theme.line
    pen.fillStyle = theme.text
    pen.strokeRect(LEFT, TOP - 2, this.width - LEFT - RIGHT, this.height - FLOOR - TOP + 4)
    pen.textBaseline = "top"
    pen.textAlign = "center"
    for (const x of ticks.x) pen.fillText(String(x).replace("-", "−"), this.across(x), this.height - FLOOR + 5)
    pen.textBaseline = "middle"
    pen.textAlign = "right"
    for (const y of ticks.y) pen.fillText(String(y).replace("-", "−"), LEFT - 5, this.up(Math.min(range.y[1], y)))
  }
  /** Names of what is drawn, in its colours, along the top. @param {[string, string][]} names */
  names(names) {
    const { pen } = this
    pen.font = `600 ${FONT_PX}px ${this.theme.font}`
    pen.textAlign = "left"
    pen.textBaseline = "top"
    let at = LEFT
    for (const [name, colour] of names) {
      pen.fillStyle = colour
      pen.fillText(name, at, 3)
      at += pen.measureText(name).width + 14
    }
  }
  line(xs, ys, colour, { width = 2, dash = [] } = {}) {
    this.#clipped((pen) => {
      pen.strokeStyle = colour
      pen.lineWidth = width
      pen.setLineDash(dash)
      pen.beginPath()
      let down = false
      for (let i = 0; i < ys.length; i++) {
        if (Number.isNaN(ys[i])) { down = false; continue }
        pen[down ? "lineTo" : "moveTo"](this.across(xs(i)), this.up(ys[i]))
        down = true
      }
      pen.stroke()
    })
  }
  bars(low, width, heights, colour, alpha = 0.5) {
    this.#clipped((pen) => {
      pen.fillStyle = colour
      pen.globalAlpha = alpha
      for (let i = 0; i < heights.length; i++) {
        const x = this.across(low + i * width), y = this.up(heights[i])
        pen.fillRect(x, y, this.across(low + (i + 1) * width) - x, this.up(0) - y)
      }
    })
  }
  dot(x, y, colour, size = 5) {
    const { pen } = this
    pen.fillStyle = colour
    pen.beginPath()
    pen.arc(this.across(x), this.up(y), size, 0, 2 * Math.PI)
    pen.fill()
  }
}
