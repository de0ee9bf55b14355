import { markPlaying, NextFrame, Player, Rest, View } from "../shared/hand.js"
import { fromText } from "../shared/packet.js"
import { paintPixels, resize, show } from "../shared/picture.js"
import { Wanted } from "../shared/store.js"
import { readTheme } from "../shared/theme.js"

/** A walk through codes: a place `at`, the picture there, filmstrips, play. All of it happens here;
 * the server learns the place when the walk rests. A kind of walk says what a place means:
 * `dress` (new data), `codeAt(at)`, `frameAt(at, count)`, `stripAt(share)`, `step`, `show`, `told`. */
export class Walk extends View {
  /** @param {Element} parent @param {string} name the root's class @param {string} html */
  constructor(parent, name, html) {
    super(parent, `walk ${name}`, html)
    Object.assign(this, { at: 0, ways: [], wanted: new Wanted() })
    this.frame = new NextFrame(() => this.draw())
    this.player = new Player((seconds) => this.step(seconds), (playing) => markPlaying(this.get(".play"), playing))
    this.rest = new Rest(() => this.tell("rest", this.told()))
    this.get(".play").onclick = () => {
      if (this.player.playing) return this.byHand(this.at)
      this.begin?.()
      this.player.play()
    }
  }
  update({ data, setStateValue }) {
    readTheme(this.root)
    this.tell = setStateValue
    if (this.data?.content === data.content) return
    this.data = { ...data }
    for (const name of ["xa", "xb", "frames"]) if (data[name]) this.data[name] = fromText(data[name])
    this.decoder = null
    this.wanted.stop()
    this.dress()
    this.goTo(data.at)
    if (data.frames) return this.drawStrips()
    this.wanted.ask(data.name, (shared) => {
      this.decoder = shared.decoder
      this.drawStrips()
      this.goTo(this.at)
    })
  }
  end() {
    super.end()
    this.player.stop()
    this.frame.cancel()
    this.rest.cancel()
    this.wanted.stop()
  }

  /** A picture with its filmstrip, on two canvases. */
  way(now, strip, kind = "latents") {
    const [, height, width] = this.data.shape, count = this.data.strip
    resize(now, width, height)
    resize(strip, count * (width + 1) - 1, height)
    return { now, strip, kind, image: new ImageData(width, height) }
  }

  // The way's image with the picture at a place; nothing where it cannot be known yet.
  paint({ image }, at) {
    const { frames, shape } = this.data
    if (frames) {
      // The decoder is too large for the browser: the server sent pictures along the way.
      const size = shape[0] * shape[1] * shape[2], k = this.frameAt(at, frames.length / size)
      return paintPixels(frames.subarray(k * size, (k + 1) * size), shape[0], image, 255)
    }
    return this.decoder && paintPixels(this.decoder.decode(this.codeAt(at)), shape[0], image)
  }
  goTo(at) { this.at = at; this.frame.ask() }
  byHand(at) {
    this.player.stop()
    this.goTo(at)
    this.rest.moved()
  }
  draw() {
    for (const way of this.ways) {
      if (this.paint(way, this.at)) show(way.now, way.image)
    }
    this.show()
  }
  drawStrips() {
    const count = this.data.strip
    for (const way of this.ways) for (let k = 0; k < count; k++) {
      if (!this.paint(way, this.stripAt(k / (count - 1)))) continue
      way.strip.getContext("2d").putImageData(way.image, k * (way.image.width + 1), 0)
    }
  }
}
