// The latent pad's other moves: random draws, the walk, requests to the server, the measuring
// display. Joined with latent_pad.js, whose state object `s` they share.

// A place of the kind the model knows: N(mean, std) of the codes, or the prior N(0, 1).
function draw(s) {
  const z = new Float32Array(s.dims.length)
  for (const d of s.dims) {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()))
    const value = d.mean + d.std * radius * Math.cos(2 * Math.PI * Math.random())
    z[d.i] = d.bounded ? Math.min(d.high, Math.max(d.low, value)) : value
  }
  return z
}

const LEG_MS = 1600

function startWalk(s) {
  const walk = (s.walking = { from: Float32Array.from(s.z), to: draw(s), start: performance.now() })
  s.get(".walk").setAttribute("aria-pressed", "true")
  const step = (now) => {
    if (s.walking !== walk || s.gone) return
    let t = (now - walk.start) / LEG_MS
    if (t >= 1) {
      walk.from = walk.to
      walk.to = draw(s)
      walk.start = now
      t = 0
    }
    const eased = t <= 0 ? 0 : t * t * (3 - 2 * t) // rests a little at every stop
    for (let i = 0; i < s.z.length; i++) s.z[i] = walk.from[i] + eased * (walk.to[i] - walk.from[i])
    touched(s)
    requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
}

function stopWalk(s) {
  if (!s.walking) return
  s.walking = null
  s.get(".walk").setAttribute("aria-pressed", "false")
  touched(s)
}

function askServer(s) {
  if (!s.ask || s.asked === String(s.z)) return
  if (s.inFlight) return // the answer to the one under way asks again with the newest z
  s.asked = String(s.z)
  s.inFlight = ++s.seq
  s.askedAt = performance.now()
  s.ask({ seq: s.seq, z: Array.from(s.z) })
  clearTimeout(s.watchdog)
  s.watchdog = setTimeout(() => {
    s.inFlight = 0
    s.asked = null
    change(s)
  }, WATCHDOG_MS)
}

function showServerFrame(s, data) {
  if (data.seq === s.shownSeq) return
  s.shownSeq = data.seq
  const pixels = fromText(data.frame), target = s.image.data
  for (let i = 0, from = 0; i < target.length; i += 4, from += s.channels) {
    for (let c = 0; c < 3; c++) target[i + c] = pixels[s.channels > 1 ? from + c : from]
    target[i + 3] = 255
  }
  s.context.putImageData(s.image, 0, 0)
  s.painted = true
  if (!s.inFlight || data.seq !== s.inFlight) return // e.g. the first picture, sent without being asked for
  clearTimeout(s.watchdog)
  s.inFlight = 0
  count(s, s.askedAt, performance.now())
}

// ---- the measuring display (key M) ----
const KEPT = 120

function count(s, start, end) {
  s.frames.push({ at: end, took: end - start, waited: s.since ? end - s.since : null })
  if (s.frames.length > KEPT) s.frames.shift()
  s.since = null
  measure(s)
}

function measure(s) {
  if (s.meter.hidden || s.measuring) return
  s.measuring = true
  setTimeout(() => {
    s.measuring = false
    const now = performance.now(), recent = s.frames.filter((f) => now - f.at < 1000)
    const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN
    const took = middle(s.frames.map((f) => f.took))
    const waited = middle(s.frames.map((f) => f.waited).filter((v) => v !== null))
    const size = s.decoder ? `${(s.decoder.size / 1e6).toFixed(2)} MB, ${(s.decoder.macs / 1e6).toFixed(2)} M multiply-adds` : ""
    const memory = performance.memory ? `page memory ${Math.round(performance.memory.usedJSHeapSize / 1e6)} MB` : ""
    s.meter.textContent = [
      `${took.toFixed(2)} ms a frame`, `hand to pixels ${waited.toFixed(1)} ms`, `${recent.length} frames/s`,
      s.server ? "server" : "browser", size, memory,
    ].filter(Boolean).join(" · ")
    if (recent.length && !s.gone) measure(s)
  }, 250)
}

