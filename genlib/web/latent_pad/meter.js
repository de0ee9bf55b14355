const KEPT = 120 // frames
const EVERY_MS = 250
const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN

/** The measuring display (key M): milliseconds a frame, from hand to pixels, frames a second. */
export class Meter {
  /** @param {HTMLElement} element @param {() => string[]} facts what else to say */
  constructor(element, facts) {
    Object.assign(this, { element, facts, frames: [], timer: 0 })
    this.onKey = (event) => {
      const typing = event.composedPath()[0].matches?.("input:not([type=range]), textarea, [contenteditable]")
      if (event.key.toLowerCase() !== "m" || typing || event.ctrlKey || event.metaKey || event.altKey) return
      element.hidden = !element.hidden
      this.measure()
    }
    document.addEventListener("keydown", this.onKey)
  }
  end() { document.removeEventListener("keydown", this.onKey); clearTimeout(this.timer) }

  /** z moved: the next frame shows it. */
  moved() { this.since ??= performance.now() }

  /** A frame that was begun at `start` is on screen. @param {number} start */
  count(start) {
    const at = performance.now()
    this.frames.push({ at, took: at - start, waited: this.since ? at - this.since : null })
    if (this.frames.length > KEPT) this.frames.shift()
    this.since = null
    this.measure()
  }
  measure() {
    if (this.element.hidden || this.timer) return
    this.timer = setTimeout(() => {
      this.timer = 0
      const now = performance.now(), recent = this.frames.filter(({ at }) => now - at < 1000).length
      const took = middle(this.frames.map((frame) => frame.took))
      const waited = middle(this.frames.map((frame) => frame.waited).filter((v) => v !== null))
      const memory = performance.memory?.usedJSHeapSize
      this.element.textContent = [
        `${took.toFixed(2)} ms per frame`, `hand to pixels ${waited.toFixed(1)} ms`, `${recent} frames/s`,
        ...this.facts(), memory ? `page memory ${Math.round(memory / 1e6)} MB` : "",
      ].filter(Boolean).join(" · ")
      if (recent) this.measure()
    }, EVERY_MS)
  }
}
