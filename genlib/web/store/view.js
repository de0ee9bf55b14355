// Draws nothing: takes what is heavy (decoder, codes, pictures, layers) once, and shares it by name
// with the page's components.
import { compileDecoder } from "../shared/decoder.js"
import { unpack } from "../shared/packet.js"
import { isShared, share } from "../shared/store.js"

export default ({ data }) => {
  const { model, weights, atlas, ...given } = unpack(data), { name } = given
  if (isShared(name)) return
  if (model) given.decoder = compileDecoder(model, weights)
  if (!atlas) return share(name, given)
  createImageBitmap(new Blob([atlas], { type: "image/png" })).then((sheet) => share(name, { ...given, sheet }))
}
