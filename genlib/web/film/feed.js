// Fetches frames of an ascent, one request at a time, each asking for something newer than the last;
// the server lets it wait until there is (genlib/ui/components/frames.py). Nothing is asked for while the tab
// is hidden, so that the server can stop working for it, nor when nothing more will come.
import { unpack } from "../shared/packet.js"

const CURVES_MS = 500, STRIP_MS = 700 // the curves and the filmstrip need not follow every frame
const STOPPED_MS = 300 // the page usually knows already: a button of its own did it
const LONGEST_BACKOFF_MS = 4000

/** Frames of one ascent at a time, for as long as the component is on the page. */
export class Feed {
  /** @param {object} hear
   * @param {(packet: object) => Promise<void>} hear.gotPacket kept once the packet is on screen
   * @param {() => void} hear.gotStopped it stopped by itself
   * @param {(long: boolean) => void} hear.gotLost no answer; for long or not */
  constructor(hear) {
    Object.assign(this, { hear, data: null, version: -1, running: false, settled: true, ended: false,
      before: "", strip: "", curvesAt: 0, stripAt: 0, failures: 0, painted: Promise.resolve(),
      wake: () => {} })
    this.visible = () => this.wake()
    document.addEventListener("visibilitychange", this.visible)
    this.follow()
  }

  /** The page's newest data: what to ask for from now on. @param {object} data */
  tell(data) {
    if (this.data?.address !== data.address) {
      Object.assign(this, { version: -1, before: "", strip: "" })
      this.abort?.abort()
    }
    Object.assign(this, { data, settled: false, failures: 0 })
    this.wake()
  }
  end() {
    this.ended = true
    document.removeEventListener("visibilitychange", this.visible)
    clearTimeout(this.stopping)
    this.abort?.abort()
    this.wake()
  }
  async follow() {
    while (!this.ended) {
      if (document.hidden || this.settled) {
        await new Promise((wake) => { this.wake = wake })
        continue
      }
      const abort = (this.abort = new AbortController())
      try {
        const { data } = this, wanted = this.wants()
        const packet = await this.ask(wanted, abort.signal)
        await this.painted // one frame is drawn while the next is on its way, never two
        if (abort.signal.aborted) continue
        this.take(packet, wanted)
        if (this.data !== data) this.settled = false // the page said something meanwhile
        this.painted = this.hear.gotPacket(packet)
        this.watchRunning()
      } catch (problem) {
        if (abort.signal.aborted) continue
        await this.lost(problem)
      }
    }
  }

  // What to ask for together with the frame: now and then while it climbs, all when it is paused.
  wants() {
    const now = performance.now(), resting = !this.running || !this.data.running
    return { curves: resting || now - this.curvesAt > CURVES_MS,
      strip: resting || now - this.stripAt > STRIP_MS }
  }
  async ask(wanted, signal) {
    const query = new URLSearchParams({ after: this.version })
    if (wanted.curves) query.set("curves", "1")
    if (wanted.strip) query.set("strip", this.strip)
    if (this.data.compare) query.set("before", this.before)
    // Relative to the page: the app may be served under any path.
    const answer = await fetch(`${this.data.address}?${query}`, { signal, cache: "no-store" })
    const type = answer.headers.get("content-type") ?? ""
    if (!answer.ok || !type.startsWith("application/octet-stream")) {
      throw Object.assign(new Error(`the server answered ${answer.status}`), { gone: true })
    }
    return unpack(new Uint8Array(await answer.arrayBuffer()))
  }
  take(packet, wanted) {
    const now = performance.now()
    this.failures = 0
    this.version = packet.version
    this.running = packet.running
    this.settled = !packet.running && wanted.curves && wanted.strip
    if (wanted.curves) this.curvesAt = now
    if (wanted.strip) this.stripAt = now
    if (packet.strip) this.strip = packet.strip.version
    if (packet.before) this.before = packet.before
  }

  // It stopped by itself: the page's buttons must hear of it.
  watchRunning() {
    clearTimeout(this.stopping)
    if (this.running === this.data.running) return
    this.stopping = setTimeout(() => {
      if (this.running !== this.data.running && !this.ended) this.hear.gotStopped()
    }, STOPPED_MS)
  }
  async lost(problem) {
    this.failures++
    // An ascent that is gone does not come back by asking; new data from the page begin again.
    if (problem.gone) this.settled = true
    this.hear.gotLost(problem.gone || this.failures > 2)
    const pause = Math.min(LONGEST_BACKOFF_MS, 125 * 2 ** this.failures)
    await new Promise((wake) => { this.wake = wake; setTimeout(wake, pause) })
  }
}
