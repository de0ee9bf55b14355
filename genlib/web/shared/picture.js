// Pixels on canvases.

/** Give a canvas this many pixels; it is cleared only where that is a change.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height
 * @returns {boolean} whether it changed */
export const resize = (canvas, width, height) => {
  if (canvas.width === width && canvas.height === height) return false
  canvas.width = width
  canvas.height = height
  return true
}

/** Give a canvas as many pixels as the screen has there.
 * @param {HTMLCanvasElement} canvas @param {number} width in CSS pixels @param {number} height
 * @returns {CanvasRenderingContext2D} a pen that measures in CSS pixels */
export const penFor = (canvas, width, height) => {
  const ratio = window.devicePixelRatio || 1, pen = canvas.getContext("2d")
  resize(canvas, Math.round(width * ratio), Math.round(height * ratio))
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  return pen
}

/** An image of pixels whose colours are computed one by one, row by row.
 * @param {number} width @param {number} height
 * @param {(k: number) => ArrayLike<number>} colour red, green and blue of pixel k, up to 255
 * @returns {ImageData} */
export const imageOf = (width, height, colour) => {
  const image = new ImageData(width, height)
  image.data.fill(255)
  for (let k = 0; k < width * height; k++) image.data.set(colour(k), 4 * k)
  return image
}

/** A shade of grey for `imageOf`. @param {number} share 0: black, 1: white */
export const grey = (share) => Array(3).fill(255 * share)

/** Paint pixels in [0, 1], channels last, into an image of the same size.
 * @param {ArrayLike<number>} pixels @param {number} channels 1 or 3 @param {ImageData} image
 * @param {number} [white] the number that is white @returns {ImageData} the same image */
export const paintPixels = (pixels, channels, image, white = 1) => {
  const data = image.data, scale = 255 / white
  for (let at = 0, from = 0; at < data.length; at += 4, from += channels) {
    data[at] = pixels[from] * scale // a clamped array rounds by itself
    data[at + 1] = pixels[channels > 1 ? from + 1 : from] * scale
    data[at + 2] = pixels[channels > 1 ? from + 2 : from] * scale
    data[at + 3] = 255
  }
  return image
}

/** Show an image on a canvas, pixel by pixel. @param {HTMLCanvasElement} canvas
 * @param {ImageData} image @returns {HTMLCanvasElement} the canvas */
export const show = (canvas, image) => {
  resize(canvas, image.width, image.height)
  canvas.getContext("2d").putImageData(image, 0, 0)
  return canvas
}

/** A new canvas that holds the image, to be drawn at another size.
 * @param {ImageData} image @returns {HTMLCanvasElement} */
export const canvasOf = (image) => show(document.createElement("canvas"), image)

/** Draw a picture with every pixel as a square of `scale`.
 * @param {CanvasRenderingContext2D} pen @param {HTMLCanvasElement} picture */
export const enlarge = (pen, picture, x, y, scale) => {
  pen.imageSmoothingEnabled = false
  pen.drawImage(picture, x, y, picture.width * scale, picture.height * scale)
}

/** Stroke straight lines. @param {CanvasRenderingContext2D} pen
 * @param {...number[]} lines [x0, y0, x1, y1] */
export const strokeLines = (pen, ...lines) => {
  pen.beginPath()
  for (const [x0, y0, x1, y1] of lines) pen.moveTo(x0, y0), pen.lineTo(x1, y1)
  pen.stroke()
}

/** Begin the path of a circle. @param {CanvasRenderingContext2D} pen */
export const circle = (pen, x, y, radius) => {
  pen.beginPath()
  pen.arc(x, y, radius, 0, 2 * Math.PI)
}

/** Save a canvas as a PNG file. @param {HTMLCanvasElement} canvas @param {string} name of the file */
export const download = (canvas, name) => {
  const link = document.createElement("a")
  link.download = name
  link.href = canvas.toDataURL("image/png")
  link.click()
}
