// One picture of many tiles, and a button over each tile.
import { component, onArrows, View } from "../shared/hand.js"

class SampleGrid extends View {
  constructor(parent) {
    super(parent, "sample-grid", '<img><div class="tiles" role="radiogroup"></div>')
    ;[this.img, this.tiles] = this.root.children
  }
  update({ data, setStateValue }) {
    this.tell = (at) => setStateValue("chosen", { at })
    this.img.src = data.picture
    this.img.alt = `${data.count} pictures`
    this.tiles.setAttribute("aria-label", data.label)
    this.tiles.style.gridTemplateColumns = `repeat(${data.columns}, 1fr)`
    this.columns = data.columns
    if (this.tiles.children.length !== data.count) {
      const tiles = Array.from({ length: data.count }, (_, k) => this.tile(k, data.label))
      this.tiles.replaceChildren(...tiles)
    }
    this.mark(data.chosen)
  }
  tile(k, label) {
    const button = document.createElement("button")
    button.type = "button"
    button.setAttribute("role", "radio")
    button.setAttribute("aria-label", `${label} ${k + 1}`)
    button.onclick = () => this.choose(k)
    onArrows(button, (right, down) => {
      const next = k + right + down * this.columns
      if (next < 0 || next >= this.tiles.children.length) return
      this.tiles.children[next].focus()
      this.choose(next)
    })
    return button
  }
  choose(k) { this.mark(k); this.tell(k) }
  mark(chosen) {
    for (const [k, button] of [...this.tiles.children].entries()) {
      button.setAttribute("aria-checked", String(k === chosen))
      button.tabIndex = k === chosen ? 0 : -1
    }
  }
}

export default component((parent) => new SampleGrid(parent))
