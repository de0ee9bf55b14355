// Draws nothing: takes the layers of an RBM or DBN once and shares them with the chain.
import { compileStack } from "../gibbs_chain/chain.js"
import { unpack } from "../shared/packet.js"
import { isShared, share } from "../shared/store.js"

export default ({ data }) => {
  const { name, sizes, numbers } = unpack(data)
  if (!isShared(name)) share(name, { pairs: compileStack(sizes, numbers) })
}
