// The latent pad: a bank of sliders, a 2-D pad and the decoded picture.
//
// hand -> z -> next animation frame: decode here, paint.  Nothing goes to the server meanwhile.
// After 150 ms of rest the server is told z once.  Where the decoder is too large for the browser,
// z goes to the server instead, newest only, at most one request under way.
const REST_MS = 150
const WATCHDOG_MS = 400 // a rerun from elsewhere can swallow a request: then ask again
const SHOWN = 24 // sliders before the rest is folded away
const pads = new WeakMap()

export default function latentPad({ parentElement, data, setStateValue, setTriggerValue }) {
  let s = pads.get(parentElement)
  if (!s) {
    s = buildPad(parentElement)
    pads.set(parentElement, s)
  }
  s.tell = (z) => setStateValue?.("rest", { z, version: s.version })
  s.ask = setTriggerValue ? (want) => setTriggerValue("want", want) : null
  s.colours = readColours(s.root)
  s.server = data.path === "server"
  if (s.model !== data.name) openModel(s, data)
  if (s.version !== data.version) {
    // Only a new version moves the hand: an answer to an older z must not pull it back. The first
    // is what the page was drawn with; later ones are told back, so that its other panels follow.
    const later = s.version !== null
    s.version = data.version
    s.home = Float32Array.from(data.z)
    setZ(s, s.home, later)
  }
  if (s.server && data.frame) showServerFrame(s, data)
  redrawDots(s)
  change(s)
  return () => {
    s.gone = true
    s.walking = null
    clearTimeout(s.rest)
    clearTimeout(s.watchdog)
    document.removeEventListener("keydown", s.onKey)
    pads.delete(parentElement)
  }
}

function buildPad(parent) {
  const root = parent.querySelector(".latent-pad")
  root.innerHTML = PAD_HTML
  const get = (selector) => root.querySelector(selector)
  const s = {
    root, get, model: null, version: null, z: new Float32Array(0), frames: [], seq: 0, rows: [],
    picture: get("canvas.picture"), context: get("canvas.picture").getContext("2d"),
    meter: get(".meter"), path: get(".path"),
  }
  s.pad = makePad(get("canvas.pad"), (u, v) => {
    const [x, y] = axesOf(s)
    s.z[x.i] = x.low + u * (x.high - x.low)
    s.z[y.i] = y.low + v * (y.high - y.low)
    touched(s)
  })
  get(".random").onclick = () => setZ(s, draw(s), true)
  get(".reset").onclick = () => setZ(s, s.home, true)
  get(".walk").onclick = () => (s.walking ? stopWalk(s) : startWalk(s))
  get(".across").onchange = get(".up").onchange = () => { redrawDots(s); change(s) }
  get(".tiles").onchange = () => redrawDots(s)
  s.onKey = (event) => {
    const typing = event.composedPath()[0].matches?.("input:not([type=range]), textarea, [contenteditable]")
    if (event.key.toLowerCase() !== "m" || typing || event.ctrlKey || event.metaKey || event.altKey) return
    s.meter.hidden = !s.meter.hidden
    measure(s)
  }
  document.addEventListener("keydown", s.onKey)
  return s
}

const PAD_HTML = `
  <div class="look">
    <canvas class="picture" role="img" aria-label="Decoded picture"></canvas>
    <div class="buttons">
      <button class="random" title="Draw z at random">Random</button>
      <button class="reset" title="Back to where this started">Reset</button>
      <button class="walk" title="Wander between random places" aria-pressed="false">Walk</button>
    </div>
    <div class="path"></div>
    <div class="meter" hidden></div>
  </div>
  <div class="plane">
    <canvas class="pad" tabindex="0" role="application"
      aria-label="Two latents as a plane: drag, or use the arrow keys"></canvas>
    <div class="selects">
      <label>across <select class="across"></select></label>
      <label>up <select class="up"></select></label>
      <label class="tiling" hidden><input type="checkbox" class="tiles"> pictures</label>
    </div>
  </div>
  <div class="bank"><div class="rows"></div>
    <details hidden><summary></summary><div class="rows more"></div></details>
  </div>`

function openModel(s, data) {
  const [channels, height, width] = data.shape
  Object.assign(s, {
    model: data.name, dims: data.dims, channels, shared: null, decoder: null, version: null,
    image: s.context.createImageData(width, height), z: new Float32Array(data.dims.length), inFlight: false,
  })
  s.picture.width = width
  s.picture.height = height
  fillBank(s)
  const options = data.dims.map((d, k) => `<option value="${k}">${d.label}</option>`).join("")
  // Two latents are a map: z1 to the right, z2 upwards. Of more, the two that say most.
  const second = Math.min(1, data.dims.length - 1)
  const first = data.dims.length === 2 && data.dims[0].i === 1 ? [second, 0] : [0, second]
  for (const [n, name] of [".across", ".up"].entries()) {
    s.get(name).innerHTML = options
    s.get(name).value = first[n]
  }
  withShared(data.name, (shared) => {
    if (s.model !== data.name) return
    s.shared = shared
    s.decoder = shared.decoder
    s.get(".tiling").hidden = !(s.decoder && data.dims.length === 2)
    redrawDots(s)
    change(s)
  })
}

function fillBank(s) {
  const more = s.get("details"), [rows, moreRows] = s.root.querySelectorAll(".rows")
  rows.replaceChildren()
  moreRows.replaceChildren()
  const shown = s.dims.filter((d) => d.active).slice(0, SHOWN)
  const folded = s.dims.filter((d) => !shown.includes(d))
  const most = Math.max(...s.dims.map((d) => d.weight), 1e-9)
  s.rows = [...shown, ...folded].map((d) => sliderRow(s, d, most))
  rows.append(...s.rows.slice(0, shown.length).map((row) => row.element))
  moreRows.append(...s.rows.slice(shown.length).map((row) => row.element))
  const idle = folded.filter((d) => !d.active).length
  more.hidden = !folded.length
  more.querySelector("summary").textContent = idle === folded.length
    ? `${idle} that say almost nothing` : `${folded.length} more (${idle} of them say almost nothing)`
}

function sliderRow(s, d, most) {
  const element = document.createElement("label")
  element.innerHTML = `<span class="name">${d.label}</span>
    <input type="range" min="${d.low}" max="${d.high}" step="any" aria-label="Latent ${d.label}">
    <output></output><span class="share" style="width:${Math.round((100 * d.weight) / most)}%"></span>`
  element.title = `${d.label}: ${d.note}. Double click: back to the mean.`
  const [input, output] = [element.querySelector("input"), element.querySelector("output")]
  input.oninput = (event) => { s.z[d.i] = Number(input.value); touched(s, event) }
  input.ondblclick = () => { s.z[d.i] = d.mean; touched(s) }
  // step=any steps by too little for arrow keys, which should cross the range in a hundred.
  input.onkeydown = (event) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key]
    if (!by) return
    event.preventDefault()
    s.z[d.i] = Math.min(d.high, Math.max(d.low, s.z[d.i] + (by * (d.high - d.low)) / 100))
    touched(s)
  }
  return { d, element, input, output }
}

const axesOf = (s) => [s.dims[s.get(".across").value], s.dims[s.get(".up").value]]

function setZ(s, z, byHand) {
  stopWalk(s)
  s.z.set(z)
  if (byHand) touched(s)
  else change(s)
}

function touched(s, event) {
  if (event) stopWalk(s)
  s.since ??= performance.now()
  change(s)
  if (s.walking) return
  clearTimeout(s.rest)
  s.rest = setTimeout(() => s.tell(Array.from(s.z, (v) => Number(v.toFixed(4)))), REST_MS)
}

function change(s) {
  if (s.pending || s.gone || !s.model) return
  s.pending = true
  requestAnimationFrame(() => {
    s.pending = false
    if (!s.gone) frame(s)
  })
}

function frame(s) {
  const start = performance.now()
  if (s.server) askServer(s)
  else if (s.decoder) {
    paintPixels(s.decoder.decode(s.z), s.channels, s.image)
    s.context.putImageData(s.image, 0, 0)
    s.painted = true
  }
  const [x, y] = axesOf(s)
  drawPad(s.pad, s.z, x, y, s.colours)
  for (const { d, input, output } of s.rows) {
    const value = s.z[d.i]
    if (input.shown === value) continue
    input.shown = value
    if (Number(input.value) !== value) input.value = value
    output.textContent = value.toFixed(2)
  }
  s.path.textContent = s.server ? "decoded on the server"
    : s.decoder ? "decoded in your browser" : "waiting for the decoder"
  if (!s.server) count(s, start, performance.now())
}

function redrawDots(s) {
  if (!s.model) return
  const [x, y] = axesOf(s), tiles = s.get(".tiles").checked && s.decoder && s.dims.length === 2
  const key = [s.model, x.i, y.i, tiles, Boolean(s.shared), s.colours.ground].join()
  if (s.pad.key === key) return
  s.pad.key = key
  drawDots(s.pad, s.shared, s.dims.length, x, y, s.colours)
  if (tiles && x !== y)
    drawTiles(s.pad, s.decoder, x, y, paintPixels, () => s.pad.key === key && !s.gone, () => drawPad(s.pad, s.z, ...axesOf(s), s.colours))
  change(s)
}
