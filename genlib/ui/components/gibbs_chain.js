// A Gibbs chain that runs here, in the browser: pixels, hidden units, free energy, a film strip.
const SPEEDS = [1, 2, 5, 15, 60, 240, Infinity] // steps a second
const BUDGET_MS = 11 // of a frame's 16.7, so that the page stays smooth
const TRACE = 400 // steps on the trace
const STRIP = 14 // pictures on the strip
const running = new WeakMap()

export default function gibbsChain({ parentElement, data }) {
  let s = running.get(parentElement)
  if (!s) running.set(parentElement, (s = buildChain(parentElement.querySelector(".gibbs"))))
  s.colours = readColours(s.root)
  const before = s.data
  s.data = data
  if (before?.content !== data.content) {
    s.pairs = null
    allowButtons(s)
    withShared(data.name, ({ pairs }) => {
      if (s.gone || s.data.name !== data.name) return
      s.pairs = pairs
      allowButtons(s)
      restart(s)
    })
  } else if (s.pairs) paintAll(s)
  return () => {
    s.gone = true
    cancelAnimationFrame(s.frame)
    running.delete(parentElement)
  }
}

function buildChain(root) {
  root.innerHTML = `
    <div class="bar">
      <button class="play">Run</button><button class="once">Step</button>
      <button class="again">Start over</button>
      <label>Speed <input class="speed" type="range" min="0" max="${SPEEDS.length - 1}" step="1" value="3"></label>
      <output class="rate"></output>
      <span class="count"></span>
    </div>
    <div class="panels">
      <figure><figcaption class="what"></figcaption><canvas class="pixels" role="img"></canvas></figure>
      <figure class="units"><figcaption></figcaption><canvas class="hidden" role="img" aria-label="Hidden units"></canvas></figure>
      <figure class="wide"><figcaption>Free energy F in nats, step by step</figcaption>
        <canvas class="trace" role="img" aria-label="Free energy over steps"></canvas></figure>
    </div>
    <figure class="film"><figcaption></figcaption><canvas class="strip" role="img" aria-label="Earlier pictures"></canvas></figure>`
  const get = (selector) => root.querySelector(selector)
  const s = { root, get, playing: false, chains: [], steps: 0, owed: 0 }
  get(".play").onclick = () => setPlaying(s, !s.playing)
  get(".once").onclick = () => { setPlaying(s, false); advance(s, 1); paintAll(s) }
  get(".again").onclick = () => restart(s)
  get(".speed").oninput = () => sayRate(s)
  sayRate(s)
  return s
}

// Without weights a click would do nothing.
function allowButtons(s) {
  for (const button of s.root.querySelectorAll("button")) button.disabled = !s.pairs
}

const speedOf = (s) => SPEEDS[Number(s.get(".speed").value)]

function sayRate(s) {
  const speed = speedOf(s)
  s.get(".rate").textContent = speed === Infinity ? "as fast as it goes" : `${speed} steps a second`
}

function restart(s) {
  if (!s.pairs) return
  const d = s.data
  const digit = Float32Array.from(fromText(d.digit), (x) => (x > 127 ? 1 : 0))
  const known = d.known ? fromText(d.known) : null
  const start = d.start === "digit" ? digit : null
  s.known = known
  s.chains = Array.from({ length: d.chains }, () => startChain(s.pairs, start, known, digit))
  s.steps = s.owed = 0
  s.trace = s.chains.map((c) => [c.f])
  s.film = [Float32Array.from(s.chains[0].p)]
  paintAll(s)
}

function setPlaying(s, playing) {
  if (!s.pairs || playing === s.playing) return
  s.playing = playing
  s.get(".play").textContent = playing ? "Pause" : "Run"
  s.get(".play").setAttribute("aria-pressed", String(playing))
  s.last = performance.now()
  s.owed = 1
  if (playing) s.frame = requestAnimationFrame((now) => tick(s, now))
}

function tick(s, now) {
  if (s.gone || !s.playing) return
  const speed = speedOf(s)
  // A frame's time may lie before the click that began it. No time at infinite speed is no number.
  const seconds = Math.max(0, now - s.last) / 1000
  s.owed = speed === Infinity ? Infinity : Math.min(s.owed + seconds * speed, 1 + speed / 4)
  s.last = now
  const steps = Math.floor(s.owed)
  if (steps > 0) {
    const done = advance(s, steps)
    s.owed = speed === Infinity ? 0 : s.owed - done
    paintAll(s)
  }
  s.frame = requestAnimationFrame((next) => tick(s, next))
}

// At most `steps` steps, as many as fit in a frame; returns how many.
function advance(s, steps) {
  const until = performance.now() + BUDGET_MS
  let done = 0
  while (s.pairs && done < steps && (done === 0 || performance.now() < until)) {
    for (const [k, c] of s.chains.entries()) {
      stepChain(s.pairs, c)
      s.trace[k].push(c.f)
      if (s.trace[k].length > TRACE) s.trace[k].shift()
    }
    s.steps++
    done++
    if (s.steps % s.data.stride === 0) {
      s.film.push(Float32Array.from(shownPixels(s, s.chains[0])))
      if (s.film.length > STRIP) s.film.shift()
    }
  }
  return done
}

const shownPixels = (s, c) => (s.data.show === "samples" ? c.v : c.p)

function paintAll(s) {
  if (s.gone || !s.pairs) return
  s.root.dataset.steps = s.steps
  s.get(".count").textContent = `step ${s.steps.toLocaleString("en")} · F = ${nats(s.chains[0].f, 1)} nats`
  s.get(".what").textContent = s.data.show === "samples" ? "Pixels drawn: v ~ p(v | h)" : "Probabilities p(v | h)"
  paintPictures(s)
  paintUnits(s)
  paintTrace(s)
  paintFilm(s)
}

function paintPictures(s) {
  const [, height, width] = s.data.shape, across = Math.ceil(Math.sqrt(s.chains.length)), gap = across > 1 ? 1 : 0
  const canvas = s.get(".pixels"), pen = canvas.getContext("2d")
  size(canvas, across * (width + gap) - gap, Math.ceil(s.chains.length / across) * (height + gap) - gap)
  canvas.setAttribute("aria-label", "The picture of each chain")
  for (const [k, c] of s.chains.entries())
    pen.putImageData(picture(s, shownPixels(s, c)), (k % across) * (width + gap), Math.floor(k / across) * (height + gap))
}

// Grey or colour, channel after channel; pixels that are held fixed have the tint of the sea.
function picture(s, pixels) {
  const [channels, height, width] = s.data.shape, image = new ImageData(width, height)
  const area = height * width, next = channels > 1 ? area : 0, red = channels > 1 ? 0.6 : 0.25 // red kept
  for (let i = 0; i < area; i++) {
    const r = 255 * pixels[i], g = 255 * pixels[i + next], b = 255 * pixels[i + 2 * next]
    image.data.set(s.known?.[i] ? [red * r, 40 + 0.7 * g, 60 + 0.76 * b, 255] : [r, g, b, 255], 4 * i)
  }
  return image
}

// One little square a unit of the top pair's upper layer, of the first chain.
function paintUnits(s) {
  const c = s.chains[0], units = s.data.show === "samples" ? c.h : c.hp
  const across = Math.ceil(Math.sqrt(units.length * 1.25)), down = Math.ceil(units.length / across)
  const canvas = s.get(".hidden"), image = new ImageData(across, down)
  size(canvas, across, down)
  for (let j = 0; j < units.length; j++) {
    const x = 255 * units[j]
    image.data.set([x, x, x, 255], 4 * j)
  }
  canvas.getContext("2d").putImageData(image, 0, 0)
  const name = s.pairs.length > 1 ? "top layer" : "hidden layer"
  s.get(".units figcaption").textContent = `${units.length} units of the ${name}${s.chains.length > 1 ? ", first chain" : ""}`
}

function paintFilm(s) {
  const [, height, width] = s.data.shape, gap = 2, canvas = s.get(".strip")
  size(canvas, STRIP * (width + gap) - gap, height)
  const pen = canvas.getContext("2d")
  pen.clearRect(0, 0, canvas.width, canvas.height)
  for (const [k, pixels] of s.film.entries()) pen.putImageData(picture(s, pixels), k * (width + gap), 0)
  s.get(".film figcaption").textContent =
    `${s.chains.length > 1 ? "The first chain" : "The chain"}, one picture every ${s.data.stride} steps`
}

function size(canvas, width, height) {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height]
}

function paintTrace(s) {
  const canvas = s.get(".trace"), ratio = window.devicePixelRatio || 1
  const width = canvas.clientWidth || 420, height = canvas.clientHeight || 220
  size(canvas, Math.round(width * ratio), Math.round(height * ratio))
  const pen = canvas.getContext("2d"), style = getComputedStyle(s.root)
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.clearRect(0, 0, width, height)
  const all = s.trace.flat(), [low, high] = s.data.band
  const bottom = Math.min(low, ...all), top = Math.max(high, ...all), margin = 0.06 * (top - bottom || 1)
  const left = 52, x = (k) => left + (k / (TRACE - 1)) * (width - left - 6)
  const y = (f) => height - 8 - ((f - bottom + margin) / (top - bottom + 2 * margin)) * (height - 16)
  pen.font = `12px ${style.fontFamily}`
  pen.globalAlpha = 0.25
  pen.fillStyle = "#e0912f"
  pen.fillRect(left, y(high), width - left - 6, Math.max(2, y(low) - y(high)))
  pen.globalAlpha = 1
  pen.fillStyle = style.color
  pen.textAlign = "right"
  for (const f of ticks(bottom, top)) pen.fillText(nats(f), left - 6, y(f) + 4)
  pen.textAlign = "left"
  pen.fillText("test images, 5 to 95 %", left + 6, Math.max(12, y(high) - 4))
  pen.strokeStyle = s.colours.accent
  pen.lineWidth = s.trace.length > 1 ? 1 : 1.6
  for (const line of s.trace) {
    pen.beginPath()
    for (const [k, f] of line.entries()) pen.lineTo(x(k), y(f))
    if (line.length === 1) pen.arc(x(0), y(line[0]), 2, 0, 7)
    pen.stroke()
  }
}

const nats = (f, digits) => (digits ? f.toFixed(digits) : f.toLocaleString("en")).replace("-", "−")

function ticks(low, high) {
  const rough = (high - low || 1) / 4, power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough)
  const found = []
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(Number((k * step).toPrecision(6)))
  return found
}
