// Draws nothing: takes the decoder's weights once and shares them with the page's components.
import { compileDecoder } from "../shared/decoder.js"
import { unpack } from "../shared/packet.js"
import { isShared, share } from "../shared/store.js"

export default ({ data }) => {
  const { name, model, weights, cloud, labels } = unpack(data)
  if (isShared(name)) return
  // cloud: one byte a number, (points, latents), 0..255 from low to high; labels: one byte a point
  share(name, { decoder: model ? compileDecoder(model, weights) : null, cloud, labels })
}
