// The 2-D pad: any two latents as a plane, the codes of real digits as dots behind the handle.
// For models with two latents it can show decoded pictures instead of dots: the whole manifold.

const PAD = 600 // drawing size; CSS shows it at half of this, crisp on dense screens too
const TILES = 15

export function makePad(canvas, onMove) {
  const dots = document.createElement("canvas")
  canvas.width = canvas.height = dots.width = dots.height = PAD
  const pad = { canvas, dots, context: canvas.getContext("2d"), key: "", x: null, y: null }
  const place = (event) => {
    const box = canvas.getBoundingClientRect()
    onMove(unit((event.clientX - box.left) / box.width), unit(1 - (event.clientY - box.top) / box.height))
  }
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId)
    canvas.focus()
    place(event)
    event.preventDefault()
  }
  canvas.onpointermove = (event) => { if (canvas.hasPointerCapture(event.pointerId)) place(event) }
  canvas.onkeydown = (event) => {
    const step = event.shiftKey ? 0.05 : 0.01
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }
    const by = move[event.key]
    if (!by) return
    event.preventDefault()
    onMove(unit(pad.u + by[0]), unit(pad.v + by[1]))
  }
  return pad
}

const unit = (value) => Math.min(1, Math.max(0, value))

// z's place in the plane; x and y are {i, low, high}.
export function drawPad(pad, z, x, y, colours) {
  pad.u = unit((z[x.i] - x.low) / (x.high - x.low))
  pad.v = unit((z[y.i] - y.low) / (y.high - y.low))
  const { context } = pad, left = pad.u * PAD, top = (1 - pad.v) * PAD
  context.clearRect(0, 0, PAD, PAD)
  context.drawImage(pad.dots, 0, 0)
  context.strokeStyle = colours.line
  context.lineWidth = 2
  context.beginPath()
  context.moveTo(left, 0)
  context.lineTo(left, PAD)
  context.moveTo(0, top)
  context.lineTo(PAD, top)
  context.stroke()
  context.beginPath()
  context.arc(left, top, 16, 0, 2 * Math.PI)
  context.fillStyle = colours.accent
  context.fill()
  context.lineWidth = 6
  context.strokeStyle = colours.ground
  context.stroke()
}

export function drawDots(pad, shared, latentDim, x, y, colours) {
  const context = pad.dots.getContext("2d")
  context.clearRect(0, 0, PAD, PAD)
  const { cloud, labels } = shared ?? {}
  if (!cloud?.length) return
  context.globalAlpha = 0.75
  for (let k = 0; k < labels.length; k++) {
    context.fillStyle = colours.classes[labels[k] % colours.classes.length]
    const left = (cloud[k * latentDim + x.i] / 255) * PAD, top = (1 - cloud[k * latentDim + y.i] / 255) * PAD
    context.fillRect(left - 2.5, top - 2.5, 5, 5)
  }
  context.globalAlpha = 1
}

// Decodes TILES x TILES places in slices of a few milliseconds, so that the hand never waits.
export function drawTiles(pad, decoder, x, y, paintPixels, stillWanted, redraw) {
  const context = pad.dots.getContext("2d")
  const { width, height, channels } = decoder
  const tile = document.createElement("canvas")
  tile.width = width
  tile.height = height
  const inside = tile.getContext("2d"), image = inside.createImageData(width, height)
  const z = new Float32Array(2)
  let k = 0
  context.imageSmoothingEnabled = true
  const slice = () => {
    if (!stillWanted()) return
    const until = performance.now() + 6
    while (k < TILES * TILES && performance.now() < until) {
      const column = k % TILES, row = (k / TILES) | 0
      z[x.i] = x.low + ((column + 0.5) / TILES) * (x.high - x.low)
      z[y.i] = y.high - ((row + 0.5) / TILES) * (y.high - y.low)
      paintPixels(decoder.decode(z), channels, image)
      inside.putImageData(image, 0, 0)
      context.drawImage(tile, (column * PAD) / TILES, (row * PAD) / TILES, PAD / TILES, PAD / TILES)
      k++
    }
    redraw()
    if (k < TILES * TILES) requestAnimationFrame(slice)
  }
  slice()
}
