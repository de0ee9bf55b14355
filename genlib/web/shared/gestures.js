// Pointer and keys on the map: pan, zoom, pinch, click, lasso, hover.
const CLICK_REACH = 4 // CSS pixels that a click may slip
const apart = (p, q) => Math.max(1, Math.hypot(p[0] - q[0], p[1] - q[1]))
const middle = (p, q) => [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2]

/** Moves the plane, and reports clicks, lassos and hovering. */
export class Gestures {
  /** @param {HTMLCanvasElement} canvas @param {import("./plane.js").Plane} plane
   * @param {object} on hover(px, py, stamp), leave(), click(px, py), lasso(polygon, done) */
  constructor(canvas, plane, on) {
    Object.assign(this, { canvas, plane, on, polygon: null })
    this.pointers = new Map() // id -> [px, py]
    this.lassoing = false // the toolbar's switch
    canvas.onpointerdown = (event) => this.down(event)
    canvas.onpointermove = (event) => this.move(event)
    canvas.onpointerup = canvas.onpointercancel = (event) => this.up(event)
    canvas.onpointerleave = () => on.leave()
    canvas.ondblclick = () => plane.fit()
    canvas.onkeydown = (event) => this.key(event)
    canvas.onwheel = (event) => {
      event.preventDefault()
      const pixels = event.deltaMode === 1 ? 33 * event.deltaY : event.deltaY // Firefox counts in lines
      plane.zoom(Math.exp(-pixels * 0.0018), ...this.where(event))
    }
  }
  where(event) {
    const box = this.canvas.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }
  down(event) {
    if (event.button !== 0) return
    this.canvas.focus({ preventScroll: true })
    this.canvas.setPointerCapture(event.pointerId)
    this.began = this.where(event)
    this.pointers.set(event.pointerId, this.began)
    this.slipped = this.pointers.size > 1
    this.polygon = (this.lassoing || event.shiftKey) && !this.slipped ? [this.began] : null
  }
  move(event) {
    const here = this.where(event)
    if (!this.pointers.has(event.pointerId)) return this.on.hover(...here, event.timeStamp)
    const before = [...this.pointers.values()], last = this.pointers.get(event.pointerId)
    this.pointers.set(event.pointerId, here)
    if (Math.hypot(here[0] - this.began[0], here[1] - this.began[1]) > CLICK_REACH) this.slipped = true
    if (!this.slipped) return
    this.on.leave()
    if (this.pointers.size === 2) return this.pinch(before, [...this.pointers.values()])
    if (!this.polygon) return this.plane.pan(here[0] - last[0], here[1] - last[1])
    this.polygon.push(here)
    this.on.lasso(this.polygon, false)
  }
  pinch([a, b], [c, d]) {
    const [x0, y0] = middle(a, b), [x1, y1] = middle(c, d)
    this.plane.pan(x1 - x0, y1 - y0)
    this.plane.zoom(apart(c, d) / apart(a, b), x1, y1)
  }
  up(event) {
    if (!this.pointers.delete(event.pointerId)) return
    if (event.type === "pointercancel") this.slipped = true
    if (this.pointers.size) return
    if (this.polygon && this.slipped) this.on.lasso(this.polygon, true)
    else if (!this.slipped) this.on.click(...this.where(event))
    this.polygon = null
  }
  key(event) {
    const { plane } = this, zoom = (factor) => plane.zoom(factor, plane.width / 2, plane.height / 2)
    const act = {
      "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: () => plane.fit(),
      ArrowLeft: () => plane.pan(40, 0), ArrowRight: () => plane.pan(-40, 0),
      ArrowUp: () => plane.pan(0, 40), ArrowDown: () => plane.pan(0, -40),
    }[event.key]
    if (!act || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    event.stopPropagation()
    act()
  }
}

/** Whether a point is inside a polygon (even-odd rule), all in CSS pixels.
 * @param {number[][]} polygon @param {number[]} point */
export const inside = (polygon, [px, py]) => {
  let within = false
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i], [xj, yj] = polygon[j]
    if (yi > py !== yj > py && px < ((xj - xi) * (py - yi)) / (yj - yi) + xi) within = !within
  }
  return within
}
