// One picture of many tiles, and a button over each tile.
const grids = new WeakMap()

export default function sampleGrid({ parentElement, data, setStateValue }) {
  let s = grids.get(parentElement)
  if (!s) {
    const root = parentElement.querySelector(".sample-grid")
    root.innerHTML = '<img><div class="tiles" role="radiogroup"></div>'
    grids.set(parentElement, (s = { root, img: root.querySelector("img"), tiles: root.querySelector(".tiles") }))
  }
  s.tell = (at) => setStateValue?.("chosen", { at })
  s.img.src = data.picture
  s.img.alt = `${data.count} pictures`
  s.tiles.setAttribute("aria-label", data.label)
  s.tiles.style.gridTemplateColumns = `repeat(${data.columns}, 1fr)`
  s.columns = data.columns
  if (s.tiles.children.length !== data.count) {
    s.tiles.replaceChildren(...Array.from({ length: data.count }, (_, k) => tile(s, k, data.label)))
  }
  mark(s, data.chosen)
  return () => grids.delete(parentElement)
}

function tile(s, k, label) {
  const button = document.createElement("button")
  button.type = "button"
  button.setAttribute("role", "radio")
  button.setAttribute("aria-label", `${label} ${k + 1}`)
  button.onclick = () => choose(s, k)
  button.onkeydown = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -s.columns, ArrowDown: s.columns }[event.key]
    const next = k + by
    if (!by || next < 0 || next >= s.tiles.children.length) return
    event.preventDefault()
    s.tiles.children[next].focus()
    choose(s, next)
  }
  return button
}

function choose(s, k) {
  mark(s, k)
  s.tell(k)
}

function mark(s, chosen) {
  for (const [k, button] of [...s.tiles.children].entries()) {
    button.setAttribute("aria-checked", String(k === chosen))
    button.tabIndex = k === chosen ? 0 : -1
  }
}
