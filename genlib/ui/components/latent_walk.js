// One slider t between two codes, the picture decoded on the way, the whole way as a filmstrip;
// beside it, if asked for, the same way in pixels. Everything happens here; the server learns t
// when the hand rests.
const WALK_REST_MS = 150
const THERE_AND_BACK_MS = 5000
const walks = new WeakMap()

export default function latentWalk({ parentElement, data, setStateValue }) {
  let s = walks.get(parentElement)
  if (!s) walks.set(parentElement, (s = buildWalk(parentElement.querySelector(".latent-walk"))))
  readColours(s.root)
  s.tell = (t) => setStateValue?.("rest", { t })
  const same = s.data && s.data.content === data.content
  if (!same) {
    s.data = { ...data }
    for (const name of ["xa", "xb", "frames"]) if (data[name]) s.data[name] = fromText(data[name])
    openWalk(s)
  }
  return () => {
    s.gone = true
    s.playing = false
    clearTimeout(s.rest)
    walks.delete(parentElement)
  }
}

function buildWalk(root) {
  root.innerHTML = `
    <div class="hand"><button class="play" aria-pressed="false">Play</button>
    <span class="from"></span><input type="range" step="any" aria-label="Amount"><span class="to"></span>
    <output></output></div><div class="ways"></div>`
  const get = (selector) => root.querySelector(selector)
  const s = { root, get, t: 0, input: get("input"), output: get("output"), ways: [] }
  s.input.oninput = () => { stopPlaying(s); goTo(s, Number(s.input.value)); restWalk(s) }
  s.input.onkeydown = (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key]
    if (!by) return
    event.preventDefault()
    const { low, high } = s.data
    stopPlaying(s)
    goTo(s, Math.min(high, Math.max(low, s.t + (by * (high - low)) / 50)))
    restWalk(s)
  }
  get(".play").onclick = () => (s.playing ? (stopPlaying(s), restWalk(s)) : play(s))
  return s
}

function openWalk(s) {
  const d = s.data, ways = s.get(".ways")
  s.input.min = d.low
  s.input.max = d.high
  s.get(".from").textContent = d.from
  s.get(".to").textContent = d.to
  if (s.ways.map((w) => w.title).join() !== d.ways.map((w) => w.title).join()) {
    ways.replaceChildren()
    s.ways = d.ways.map((way) => buildWay(ways, way))
  }
  for (const [k, way] of s.ways.entries()) sizeWay(way, d, d.ways[k])
  s.z = new Float32Array(d.za.length)
  s.pixels = new Float32Array(d.xa?.length ?? 0)
  s.decoder = null
  goTo(s, d.t)
  withShared(d.name, (shared) => {
    if (s.gone || s.data.name !== d.name) return
    s.decoder = shared.decoder
    filmstrips(s)
    goTo(s, s.t)
  })
}

function buildWay(parent, { title, kind }) {
  const element = document.createElement("figure")
  element.innerHTML = `<figcaption></figcaption><canvas class="now" role="img"></canvas>
    <canvas class="strip" role="img"></canvas>`
  const [now, strip] = element.querySelectorAll("canvas")
  element.querySelector("figcaption").textContent = title
  now.setAttribute("aria-label", title)
  now.classList.add(kind)
  strip.setAttribute("aria-label", `${title}: the whole way`)
  parent.append(element)
  return { title, kind, now, strip, context: now.getContext("2d") }
}

function sizeWay(way, d) {
  const [, height, width] = d.shape
  way.now.width = width
  way.now.height = height
  way.image = way.context.createImageData(width, height)
}

// Paint the picture at t of one way into its image.
function paintAt(s, way, t) {
  const d = s.data, channels = d.shape[0]
  if (way.kind === "pixels") {
    const share = Math.min(1, Math.max(0, t))
    for (let i = 0; i < s.pixels.length; i++) s.pixels[i] = ((1 - share) * d.xa[i] + share * d.xb[i]) / 255
    paintPixels(s.pixels, channels, way.image)
  } else if (s.decoder) {
    for (let i = 0; i < s.z.length; i++) s.z[i] = d.za[i] + t * (d.zb[i] - d.za[i])
    paintPixels(s.decoder.decode(s.z), channels, way.image)
  } else if (d.frames?.length) {
    // The decoder is too large for the browser: the server sent pictures along the way.
    const size = d.shape[0] * d.shape[1] * d.shape[2], count = d.frames.length / size
    const k = Math.round(((t - d.low) / (d.high - d.low)) * (count - 1))
    paintPixels(Float32Array.from(d.frames.subarray(k * size, (k + 1) * size), (v) => v / 255), channels, way.image)
  } else return false
  return true
}

function goTo(s, t) {
  s.t = t
  if (s.pending || s.gone) return
  s.pending = true
  requestAnimationFrame(() => {
    s.pending = false
    if (s.gone) return
    for (const way of s.ways) if (paintAt(s, way, s.t)) way.context.putImageData(way.image, 0, 0)
    s.input.value = s.t
    s.output.textContent = `t = ${s.t.toFixed(2)}`
  })
}

function filmstrips(s) {
  const d = s.data, [, height, width] = d.shape, gap = 1
  for (const way of s.ways) {
    way.strip.width = d.strip * (width + gap) - gap
    way.strip.height = height
    const context = way.strip.getContext("2d")
    for (let k = 0; k < d.strip; k++) {
      const t = d.low + (k / (d.strip - 1)) * (d.high - d.low)
      if (paintAt(s, way, t)) context.putImageData(way.image, k * (width + gap), 0)
    }
    way.strip.onpointerdown = (event) => {
      const box = way.strip.getBoundingClientRect()
      const k = Math.floor(((event.clientX - box.left) / box.width) * d.strip)
      stopPlaying(s)
      goTo(s, d.low + (k / (d.strip - 1)) * (d.high - d.low))
      restWalk(s)
    }
  }
}

function play(s) {
  s.playing = true
  s.get(".play").setAttribute("aria-pressed", "true")
  s.get(".play").textContent = "Pause"
  const { low, high } = s.data
  const at = Math.acos(1 - (2 * (s.t - low)) / (high - low)) / Math.PI // there and back like a swing
  const start = performance.now() - (at * THERE_AND_BACK_MS) / 2
  const step = (now) => {
    if (!s.playing || s.gone) return
    const phase = ((now - start) / THERE_AND_BACK_MS) * 2 * Math.PI
    goTo(s, low + (high - low) * (0.5 - 0.5 * Math.cos(phase)))
    requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
}

function stopPlaying(s) {
  s.playing = false
  s.get(".play").setAttribute("aria-pressed", "false")
  s.get(".play").textContent = "Play"
}

function restWalk(s) {
  clearTimeout(s.rest)
  s.rest = setTimeout(() => s.tell(Number(s.t.toFixed(3))), WALK_REST_MS)
}
