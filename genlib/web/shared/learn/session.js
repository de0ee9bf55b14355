// Training that can be watched: started, stopped, taken step by step, rewound and repeated. Lives in
// a worker, so that the page draws while it computes, or on the page where there are no workers.
//
//   page -> session   {start: {settings, log, id}}  {run: steps a second, 0 stops}  {op: "b", count: 1}
//                     {change: {lrG: 0.01}}  {ask: {...what to show}}
//                     each with `told`, a number that comes back once it has been heard
//   session -> page   {step, dSteps, dLoss, gLoss, rate, busy, settings, log, history, id, told, shown}
import { note, restOf } from "./settings.js"

const SLICE_MS = 8 // of training between two looks at what the page wants
const STRIDE = 20, MOST = 300 // steps between entries of the history, and their number
const RATE_MS = 500
const SHARE = 3 // while it runs, training gets so many times the time that showing takes
/** A rate that means one step of D or G at a time, so slowly that one can follow. */
export const SLOW = 1

export class Session {
  /** @param {(settings: object) => {gan: import("./gan.js").Gan, show: (ask: object) => object,
   *   measure: () => number[]}} make what to train and how to look at it
   * @param {(message: object) => void} post to the page */
  constructor(make, post) {
    Object.assign(this, { make, post, rate: 0, waiting: [], timer: 0, measured: 0, next: 0 })
    this.channel = new MessageChannel() // setTimeout would idle 4 ms between slices
    this.channel.port1.onmessage = () => { this.ticking = false; this.turn() }
  }
  end() { clearTimeout(this.timer); this.channel.port1.close() }

  hear({ start, run, op, count, change, ask, told }) {
    if (told) this.told = told
    if (start) this.start(start)
    if (change) this.change(change)
    if (op) { this.waiting.push({ op, count }); this.again() }
    if (run !== undefined) this.run(run)
    if (ask) { this.wanted = ask; this.answer() }
  }
  start({ settings, log, id }) {
    // What has been trained may be how this begins: then only the rest is to do.
    const rest = this.gan && JSON.stringify(settings) === this.begun ? restOf(this.log, log) : null
    if (rest) {
      Object.assign(this, { id, waiting: rest, half: 0 })
      return this.again()
    }
    this.begun = JSON.stringify(settings)
    const { gan, show, measure } = this.make(settings)
    Object.assign(this, { gan, show, measure, id, log: [], waiting: log.map((deed) => ({ ...deed })) })
    Object.assign(this, { stride: STRIDE, history: [], sums: [0, 0, 0], half: 0 })
    this.remember()
    this.again()
  }
  change(changes) {
    for (const [name, value] of Object.entries(changes)) note(this.log, { name, value })
    this.gan.change(changes)
  }
  run(rate) {
    this.rate = rate
    Object.assign(this, { since: performance.now(), done: 0, counted: performance.now(), steps: 0 })
    this.again()
  }

  /** Whether it still has to do what it was told, or what the link says was done. */
  get busy() { return this.waiting.length > 0 }

  again(ms = 0) {
    clearTimeout(this.timer)
    if (ms) this.timer = setTimeout(() => this.turn(), ms)
    else if (!this.ticking) { this.ticking = true; this.channel.port2.postMessage(0) }
  }
  turn() {
    if (!this.gan) return
    this.train()
    this.answer()
  }
  train() {
    const until = performance.now() + SLICE_MS
    while (this.waiting.length && performance.now() < until) this.work()
    if (this.waiting.length) return this.again()
    if (!this.rate) { this.measured = 0; return }
    const now = performance.now()
    const due = this.rate === Infinity ? Infinity : Math.floor(((now - this.since) * this.rate) / 1000) - this.done
    for (let k = 0; k < due && performance.now() < until; k++) {
      if (this.rate === SLOW) this.halfStep()
      else this.take("b")
      this.done += 1
      this.steps += 1
    }
    if (now - this.counted > RATE_MS) {
      this.measured = (1000 * this.steps) / (now - this.counted)
      Object.assign(this, { counted: now, steps: 0 })
    }
    this.again(this.rate === Infinity ? 0 : 4)
  }
  work() {
    const deed = this.waiting[0]
    if (deed.name) { this.change({ [deed.name]: deed.value }); this.waiting.shift(); return }
    this.take(deed.op)
    deed.count -= 1
    if (!deed.count) this.waiting.shift()
  }
  halfStep() {
    const toG = this.half >= this.gan.settings.dSteps
    this.half = toG ? 0 : this.half + 1
    this.take(toG ? "g" : "d")
  }
  take(op) {
    const { gan } = this
    if (op === "b") gan.step()
    else if (op === "d") gan.stepD()
    else gan.stepG()
    note(this.log, { op, count: 1 })
    if (op === "d" || !gan.dSteps) return
    this.sums[0] += 1
    this.sums[1] += gan.dLoss
    this.sums[2] += gan.gLoss
    if (gan.gSteps % this.stride === 0) this.remember()
  }
  // An entry: step of G, mean losses since the entry before, and what the page measures.
  remember() {
    const [n, d, g] = this.sums
    this.history.push([this.gan.gSteps, n ? d / n : null, n ? g / n : null, ...this.measure()])
    this.sums = [0, 0, 0]
    if (this.history.length <= MOST) return
    this.stride *= 2
    this.history = this.history.filter(([step]) => step % this.stride === 0)
  }
  answer() {
    const { gan, id, told, log, history, busy, measured, wanted } = this, begin = performance.now()
    if (!gan || !wanted || ((this.rate || busy) && begin < this.next)) return
    this.wanted = null
    const { dLoss, gLoss, dSteps, gSteps, settings } = gan
    this.post({
      step: gSteps, dSteps, dLoss, gLoss, rate: measured, busy, settings, log, history, id, told,
      shown: this.show(wanted),
    })
    const now = performance.now()
    this.next = now + SHARE * (now - begin)
  }
}
