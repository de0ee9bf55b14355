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

/** Paint pixels in [0, 1], channels last, into an image of the same size.
 * @param {ArrayLike<number>} pixels @param {number} channels 1 or 3 @param {ImageData} image
 * @param {number} [white] the number that is white */
export const paintPixels = (pixels, channels, image, white = 1) => {
  const data = image.data, scale = 255 / white
  for (let at = 0, from = 0; at < data.length; at += 4, from += channels) {
    data[at] = pixels[from] * scale // a clamped array rounds by itself
    data[at + 1] = pixels[channels > 1 ? from + 1 : from] * scale
    data[at + 2] = pixels[channels > 1 ? from + 2 : from] * scale
    data[at + 3] = 255
  }
}

/** A new canvas that holds the image, to be drawn at another size.
 * @param {ImageData} image @returns {HTMLCanvasElement} */
export const canvasOf = (image) => {
  const canvas = document.createElement("canvas")
  resize(canvas, image.width, image.height)
  canvas.getContext("2d").putImageData(image, 0, 0)
  return canvas
}

/** Save a canvas as a PNG file. @param {HTMLCanvasElement} canvas @param {string} name of the file */
export const download = (canvas, name) => {
  const link = document.createElement("a")
  link.download = name
  link.href = canvas.toDataURL("image/png")
  link.click()
}
