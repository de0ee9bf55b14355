// Draws nothing: saves a file that the server has just made, once.
import { component, View } from "../shared/hand.js"

class PageFile extends View {
  constructor(parent) { super(parent, "page-file", "") }
  update({ data }) {
    if (data.made === this.made) return
    this.made = data.made
    const link = document.createElement("a")
    link.download = data.name
    link.href = URL.createObjectURL(new Blob([data.text], { type: "text/html" }))
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000) // the browser is still reading it
  }
}

export default component((parent) => new PageFile(parent))
