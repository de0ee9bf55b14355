// An endless walk through z. Stop k is drawn from N(0, I) by the seed and k alone, so that a place
// on the walk is one number: stops passed. Everything happens here; the server learns the place
// when the walk rests.
const STRIP = 13
const zWalks = new WeakMap()

export default function zWalk({ parentElement, data, setStateValue }) {
  let s = zWalks.get(parentElement)
  if (!s) zWalks.set(parentElement, (s = buildZWalk(parentElement.querySelector(".z-walk"))))
  readColours(s.root)
  s.tell = (rest) => setStateValue?.("rest", rest)
  if (s.data?.content !== data.content) {
    s.data = { ...data, frames: data.frames ? fromText(data.frames) : null }
    openZWalk(s)
  }
  return () => {
    s.gone = true
    s.playing = false
    zWalks.delete(parentElement)
  }
}

function buildZWalk(root) {
  root.innerHTML = `
    <div class="stage"><canvas class="now" role="img" aria-label="The picture of this z"></canvas>
    <div class="hands">
      <div class="row"><button class="play" aria-pressed="false">Play</button>
      <button class="back" title="To the stop before">‹ Stop</button>
      <button class="on" title="To the next stop">Stop ›</button>
      <button class="save" title="Save the picture as a PNG">Save</button></div>
      <label>Speed <input class="speed" type="range" min="0" max="1" step="any"><output class="pace"></output></label>
      <label>By hand <input class="hand" type="range" min="0" max="1" step="any"><output class="at"></output></label>
      <canvas class="strip" role="img" aria-label="This leg of the walk, from one stop to the next"></canvas>
      <p class="says"></p>
    </div></div>`
  const get = (name) => root.querySelector(`.${name}`)
  const s = { root, get, at: 0, speed: 0.4, stops: new Map() }
  get("play").onclick = () => (s.playing ? restZ(s) : playZ(s))
  get("back").onclick = () => { moveZ(s, Math.max(0, Math.ceil(s.at) - 1)); restZ(s) }
  get("on").onclick = () => { moveZ(s, Math.floor(s.at) + 1); restZ(s) }
  get("save").onclick = () => saveZ(s)
  get("hand").oninput = (event) => {
    s.playing = false
    moveZ(s, Math.floor(s.at) + Math.min(0.999, Number(event.target.value)))
    clearTimeout(s.timer)
    s.timer = setTimeout(() => restZ(s), 200)
  }
  get("speed").oninput = (event) => {
    const { slowest, fastest } = s.data
    s.speed = slowest * (fastest / slowest) ** Number(event.target.value)
    showPace(s)
    clearTimeout(s.timer)
    if (!s.playing) s.timer = setTimeout(() => restZ(s), 300)
  }
  return s
}

function openZWalk(s) {
  const d = s.data, [, height, width] = d.shape
  const now = s.get("now"), strip = s.get("strip")
  now.width = width
  now.height = height
  strip.width = STRIP * (width + 1) - 1
  strip.height = height
  s.context = now.getContext("2d")
  s.image = s.context.createImageData(width, height)
  s.z = new Float32Array(d.dim)
  s.decoder = null
  s.stops.clear()
  s.leg = -1
  s.speed = d.speed
  s.get("speed").value = Math.log(d.speed / d.slowest) / Math.log(d.fastest / d.slowest)
  s.get("says").textContent = d.frames
    ? `A closed loop of ${d.legs} stops, decoded on the server: this generator is too large for the browser.`
    : "Endless: every stop is a new draw of z, decoded here."
  showPace(s)
  s.at = d.at
  if (d.frames) return moveZ(s, d.at)
  withShared(d.name, (shared) => {
    if (s.gone || s.data.name !== d.name) return
    s.decoder = shared.decoder
    moveZ(s, s.at)
  })
}

// Standard normal numbers of stop k: mulberry32 and Box-Muller.
function stopAt(s, k) {
  if (s.stops.has(k)) return s.stops.get(k)
  let state = (Math.imul(s.data.seed, 0x9e3779b1) + Math.imul(k, 40503) + 1) >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const z = Float32Array.from({ length: s.data.dim }, () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()))
  if (s.stops.size > 8) s.stops.clear()
  s.stops.set(k, z)
  return z
}

function paintZ(s, at) {
  const d = s.data
  if (d.frames) {
    const size = d.shape[0] * d.shape[1] * d.shape[2], count = d.frames.length / size
    const k = Math.floor(((at % d.legs) / d.legs) * count) % count
    paintPixels(Float32Array.from(d.frames.subarray(k * size, (k + 1) * size), (v) => v / 255), d.shape[0], s.image)
    return true
  }
  if (!s.decoder) return false
  const leg = Math.floor(at), angle = ((at - leg) * Math.PI) / 2
  const a = stopAt(s, leg), b = stopAt(s, leg + 1), c = Math.cos(angle), t = Math.sin(angle)
  for (let i = 0; i < s.z.length; i++) s.z[i] = c * a[i] + t * b[i]
  paintPixels(s.decoder.decode(s.z), d.shape[0], s.image)
  return true
}

function moveZ(s, at) {
  s.at = at
  if (s.pending || s.gone) return
  s.pending = true
  requestAnimationFrame(() => {
    s.pending = false
    if (s.gone) return
    const leg = Math.floor(s.at)
    if (leg !== s.leg && (s.decoder || s.data.frames)) {
      s.leg = leg
      const context = s.get("strip").getContext("2d")
      for (let k = 0; k < STRIP; k++) {
        if (paintZ(s, leg + (k / (STRIP - 1)) * 0.9999)) context.putImageData(s.image, k * (s.image.width + 1), 0)
      }
    }
    if (paintZ(s, s.at)) s.context.putImageData(s.image, 0, 0)
    s.get("hand").value = s.at - leg
    s.get("at").textContent = `stop ${s.at.toFixed(2)}`
  })
}

function playZ(s) {
  s.playing = true
  s.get("play").setAttribute("aria-pressed", "true")
  s.get("play").textContent = "Pause"
  let before = performance.now()
  const step = (now) => {
    if (!s.playing || s.gone) return
    moveZ(s, s.at + (Math.min(now - before, 200) / 1000) * s.speed)
    before = now
    requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
}

function restZ(s) {
  s.playing = false
  s.get("play").setAttribute("aria-pressed", "false")
  s.get("play").textContent = "Play"
  // The walk rests exactly at the place that the link names: a rounded link would show 2.175 as
  // "stop 2.18" where the page showed 2.1749 as "stop 2.17", and another picture.
  moveZ(s, Number(s.at.toFixed(2)))
  s.tell({ at: s.at, speed: Number(s.speed.toFixed(3)) })
}

function showPace(s) {
  s.get("pace").textContent = `${s.speed.toFixed(2)} stops/s`
}

function saveZ(s) {
  const scale = Math.max(1, Math.round(448 / s.image.width)), big = document.createElement("canvas")
  big.width = s.image.width * scale
  big.height = s.image.height * scale
  const context = big.getContext("2d")
  context.imageSmoothingEnabled = false
  context.drawImage(s.get("now"), 0, 0, big.width, big.height)
  const link = document.createElement("a")
  link.download = `z-walk-${s.at.toFixed(2)}.png`
  link.href = big.toDataURL("image/png")
  link.click()
}
