// The latent map: a scatter of pictures that follows the pointer. The server sends positions; the
// pictures, the codes and the decoder are in the page's store.
import { ARROWS, component, NextFrame, View } from "../shared/hand.js"
import { unpack } from "../shared/packet.js"
import { paintPixels, resize, show } from "../shared/picture.js"
import { Wanted } from "../shared/store.js"
import { readTheme } from "../shared/theme.js"
import { BLEND, blendCodes } from "./blend.js"
import { Gestures, inside } from "../shared/gestures.js"
import { Legend } from "./legend.js"
import { paintTop, save } from "./marks.js"
import { Plane } from "../shared/plane.js"

const GLIDE_MS = 450 // travel time of points between two frames or epochs
const TAP_REACH = 12 // a point this near the pointer is meant
const KEYS = "Arrow keys move the map, plus and minus zoom, 0 shows all points. Shift with an arrow key goes " +
  "from point to point, Enter picks one."
const HTML = `
<div class="bar"><div class="legend" role="group" aria-label="Classes shown"></div><div class="tools">
    <button type="button" class="lasso" aria-pressed="false"
      title="Draw around points to choose them (or hold Shift and drag)">Lasso</button>
    <button type="button" class="none" title="Choose nothing">Clear selection</button>
    <button type="button" class="fit" title="Show all points (double-click, or key 0)">Fit</button>
    <button type="button" class="png" title="Save the map as you see it">PNG</button></div></div>
<div class="stage"><canvas class="base" tabindex="0" role="application"></canvas><canvas class="top"></canvas>
  <div class="tip" hidden><canvas width="28" height="28"></canvas><span aria-live="polite"></span></div>
  <div class="hint">Wheel or pinch: zoom · drag: move · click: look at a digit</div></div>`

const same = (a, b) => a.length === b.length && a.every((v, i) => v === b[i])

class LatentMap extends View {
  constructor(parent) {
    super(parent, "latent-map", HTML)
    const { get } = this
    Object.assign(this, { stage: get(".stage"), top: get(".top"), tip: get(".tip"), over: -1, picked: -1,
      polygon: null, wanted: { pictures: new Wanted(), codes: new Wanted() } })
    this.plane = new Plane(get(".base"), () => this.paintTop())
    this.legend = new Legend(get(".legend"), this.plane, () => {
      this.send("hidden", [...this.plane.hidden])
      this.plane.frame.ask()
    })
    this.hand = new Gestures(get(".base"), this.plane, {
      hover: (px, py, stamp) => { this.pointer = [px, py, stamp]; this.hovering.ask() },
      leave: () => this.leave(),
      click: (px, py) => this.click(px, py),
      lasso: (polygon, done) => this.lasso(polygon, done),
    })
    get(".base").onkeydown = (event) => this.key(event)
    get(".base").onblur = () => this.leave()
    this.hovering = new NextFrame(() => this.hover())
    get(".lasso").onclick = () => this.setLasso(!this.hand.lassoing)
    get(".none").onclick = () => this.choose([], null)
    get(".fit").onclick = () => this.plane.fit()
    get(".png").onclick = () => save(this.plane, this.data, this.picked, get(".legend").children)
    this.resizing = new ResizeObserver(() => this.resize())
    this.resizing.observe(this.stage)
  }
  update(given) {
    const data = unpack(given.data), before = this.data, { plane } = this
    this.send = given.setStateValue // always the newest: older ones are dead
    this.data = data
    this.picked = data.picked
    plane.sprites.clear()
    Object.assign(plane, { theme: readTheme(this.root), labels: data.labels, axes: data.axes })
    plane.chosen = data.chosen.length ? new Set(data.chosen) : null
    if (!before) plane.hidden = new Set(data.hidden)
    this.root.classList.toggle("pane", data.pane)
    this.take("pictures", before, (shared) => { plane.atlas = shared })
    this.take("codes", before, (shared) => { this.shared = shared })
    this.get(".base").setAttribute("aria-label", `Map, ${data.title}. ${KEYS}`)
    this.legend.dress(data.classes, data.labels)
    this.markChosen()
    if (before?.pictures !== data.pictures) plane.now = new Float32Array(0)
    if (before?.pictures !== data.pictures) this.over = -1 // a point among those before
    if (before?.space !== data.space) plane.following = true
    if (!plane.width) this.resize()
    if (same(plane.to, data.positions) && plane.now.length) return plane.frame.ask()
    plane.glide(data.positions, before?.space === data.space ? GLIDE_MS : 2 * GLIDE_MS)
  }
  end() {
    this.resizing.disconnect()
    this.hovering.cancel()
    this.plane.frame.cancel()
    for (const one of Object.values(this.wanted)) one.stop()
    super.end()
  }

  // Wait for what is stored under data[field]; nothing is asked for where it is "".
  take(field, before, use) {
    const name = this.data[field]
    if (before?.[field] === name) return
    use(null)
    this.wanted[field].ask(name, (shared) => {
      use(shared)
      this.plane.frame.ask()
    })
  }
  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage
    if (width && height) this.plane.resize(width, height)
  }
  paintTop() { paintTop(this.top, this.plane, this.data, this) }

  // ---- what the user asks for ----
  hover() {
    if (!this.pointer) return
    const [px, py, stamp] = this.pointer
    this.showTip(px, py)
    this.paintTop()
    this.root.dataset.hoverMs = (performance.now() - stamp).toFixed(1)
  }
  leave() {
    this.pointer = null
    this.over = -1
    this.tip.hidden = true
    this.paintTop()
  }
  click(px, py) {
    const found = this.plane.at(px, py, TAP_REACH)
    if (found < 0) return this.showTip(px, py) // a finger cannot hover: tapping decodes
    this.pick(found)
  }
  pick(i) { this.choose(this.data.chosen, i === this.picked ? null : i) } // the same one again: none
  key(event) {
    const by = event.shiftKey && ARROWS[event.key]
    if (by) this.walk(...by)
    else if (event.key === "Enter" && this.over >= 0) this.pick(this.over)
    else return this.hand.key(event)
    event.preventDefault()
    event.stopPropagation()
  }
  walk(right, down) {
    const { plane } = this
    this.over = plane.neighbour(this.over < 0 ? this.picked : this.over, right, down)
    if (this.over < 0) return
    const [px, py] = plane.placeOf(this.over), { width, height } = plane
    if (px < 0 || py < 0 || px > width || py > height) plane.pan(width / 2 - px, height / 2 - py)
    this.showTip(...plane.placeOf(this.over), this.over)
    this.paintTop()
  }
  lasso(polygon, done) {
    this.polygon = done ? null : polygon
    if (!done) return this.paintTop()
    const { labels } = this.data, chosen = []
    for (let i = 0; i < labels.length; i++) {
      if (!this.plane.hidden.has(labels[i]) && inside(polygon, this.plane.placeOf(i))) chosen.push(i)
    }
    this.choose(chosen, this.picked < 0 ? null : this.picked)
  }
  choose(chosen, picked) {
    const { data, plane } = this, before = [...data.chosen].join()
    data.chosen = chosen
    plane.chosen = chosen.length ? new Set(chosen) : null
    data.rays = new Int32Array(0) // neighbours of the point before
    if ((picked ?? -1) !== this.picked) this.send("picked", picked === null ? null : data.numbers[picked])
    this.picked = picked ?? -1
    if ([...chosen].join() !== before) this.send("lassoed", [...chosen].map((i) => data.numbers[i]))
    this.markChosen()
    plane.frame.ask()
  }
  markChosen() { this.get(".none").disabled = this.picked < 0 && !this.plane.chosen }
  setLasso(on) {
    this.hand.lassoing = on
    this.get(".lasso").setAttribute("aria-pressed", on)
    this.get(".base").classList.toggle("lassoing", on)
  }

  // ---- the picture next to the pointer ----
  showTip(px, py, point = -1) {
    const { tip, plane } = this, star = point < 0 ? this.starAt(px, py) : -1
    const found = (this.over = point < 0 && star < 0 ? plane.at(px, py, TAP_REACH) : point)
    const text = star >= 0 ? this.showStar(star) : found >= 0 ? this.showPoint(found) : this.showDecoded(px, py)
    tip.hidden = text === null
    this.root.dataset.hover = text ?? ""
    if (text === null) return
    tip.querySelector("span").textContent = text
    tip.classList.toggle("decoded", found < 0 && star < 0)
    tip.style.left = `${px + 150 < plane.width ? px + 18 : px - 142}px`
    tip.style.top = `${py + 170 < plane.height ? py + 18 : py - 158}px`
  }
  paintTip(pixels, channels, side, white) {
    show(this.get(".tip canvas"), paintPixels(pixels, channels, new ImageData(side, side), white))
  }
  showPoint(i) {
    const { classes, labels, numbers } = this.data
    if (!this.plane.atlas) return null
    const { sheet, columns, side } = this.plane.atlas
    const canvas = this.get(".tip canvas"), x = (i % columns) * side, y = Math.floor(i / columns) * side
    resize(canvas, side, side)
    canvas.getContext("2d").drawImage(sheet, x, y, side, side, 0, 0, side, side)
    return `${classes[labels[i]]} · test image ${numbers[i]}`
  }
  showStar(k) {
    const { starSide: side, starPictures, starName, stars } = this.data
    this.paintTip(starPictures.subarray(k * side * side, (k + 1) * side * side), 1, side, 255)
    return starName + (stars.length > 2 ? ` ${k + 1}` : "")
  }
  showDecoded(px, py) {
    const decoder = this.shared?.decoder, z = decoder && this.codeAt(...this.plane.toMap(px, py))
    if (!z) return null
    this.paintTip(decoder.decode(z), decoder.channels, decoder.width)
    return this.data.axesRows.length ? "decoded from this place" : `decoded from ${BLEND} nearest`
  }

  // The code of a place on the map: exact where the map is a plane, else a blend of near codes.
  codeAt(x, y) {
    const { axesRows, mean, origin } = this.data
    if (!axesRows.length) return this.shared.codes ? blendCodes(x, y, this.plane.now, this.shared) : null
    const d = mean.length, dx = x - origin[0], dy = y - origin[1]
    return mean.map((m, i) => m + dx * axesRows[i] + dy * axesRows[d + i])
  }
  starAt(px, py) {
    const { stars } = this.data
    for (let k = stars.length / 2 - 1; k >= 0; k--) {
      const [sx, sy] = this.plane.toScreen(stars[2 * k], stars[2 * k + 1])
      if (Math.hypot(sx - px, sy - py) < TAP_REACH) return k
    }
    return -1
  }
}

export default component((parent) => new LatentMap(parent))
