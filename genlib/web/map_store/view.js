// Draws nothing: takes pictures, or codes with a decoder, once, and shares them with the map.
import { compileDecoder } from "../shared/decoder.js"
import { unpack } from "../shared/packet.js"
import { isShared, share } from "../shared/store.js"

export default ({ data }) => {
  const { name, atlas, columns, side, model, weights, codes, low, high, latents } = unpack(data)
  if (isShared(name)) return
  if (atlas) {
    createImageBitmap(new Blob([atlas], { type: "image/png" }))
      .then((sheet) => share(name, { sheet, columns, side }))
    return
  }
  const decoder = model ? compileDecoder(model, weights) : null
  share(name, { decoder, codes, low, high, latents })
}
