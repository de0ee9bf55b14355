/** One chip for each class on the map, which hides or shows it. */
export class Legend {
  /** @param {HTMLElement} root @param {import("../shared/plane.js").Plane} plane @param {() => void} filtered */
  constructor(root, plane, filtered) { Object.assign(this, { root, plane, filtered }) }

  /** Show the classes that the labels have. @param {string[]} classes @param {Uint8Array} labels */
  dress(classes, labels) {
    const present = [...new Set(labels)].sort((a, b) => a - b)
    const wanted = present.map((c) => classes[c]).join("|")
    if (this.root.dataset.of !== wanted) {
      this.root.dataset.of = wanted
      this.root.replaceChildren(...present.map((c) => this.chip(c, classes[c], present)))
    }
    this.mark()
  }
  chip(label, name, present) {
    const chip = document.createElement("button"), { plane } = this
    chip.type = "button"
    chip.className = "chip"
    chip.dataset.label = label
    chip.title = "Click: hide or show this class. Double-click: show only this one, or all."
    chip.innerHTML = "<i></i>"
    chip.append(name)
    chip.onclick = () => {
      if (!plane.hidden.delete(label)) plane.hidden.add(label)
      this.changed()
    }
    chip.ondblclick = () => {
      const alone = present.every((c) => c === label || plane.hidden.has(c))
      plane.hidden = new Set(alone ? [] : present.filter((c) => c !== label))
      this.changed()
    }
    return chip
  }
  changed() { this.mark(); this.filtered() }
  mark() {
    for (const chip of this.root.children) {
      const label = Number(chip.dataset.label)
      chip.firstChild.style.background = this.plane.colourOf(label)
      chip.setAttribute("aria-pressed", !this.plane.hidden.has(label))
    }
  }
}
