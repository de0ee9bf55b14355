// Draws nothing: takes the decoder's weights once and shares them with the page's components.
//
// Only data that is bytes as a whole stays bytes on its way, so everything comes in one block:
// [4 bytes: length of the head, little endian] [head: JSON] [weights] [cloud] [labels]
export default function decoderStore({ data }) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const length = view.getUint32(0, true)
  const head = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)))
  if (isShared(head.name)) return
  let at = 4 + length
  const take = (count) => data.slice(at, (at += count))
  const [weights, cloud, labels] = head.sizes.map(take)
  // cloud: one byte a number, (points, latents), 0..255 from low to high; labels: one byte a point
  share(head.name, { decoder: head.model ? compileDecoder(head.model, weights) : null, cloud, labels })
}
