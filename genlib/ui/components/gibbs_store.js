// Draws nothing: takes the layers of an RBM or DBN once and shares them with the chain.
export default function gibbsStore({ data }) {
  const { name, sizes, numbers } = unpack(data)
  if (!isShared(name)) share(name, { pairs: compileStack(sizes, numbers) })
}
