// What pages that train a GAN in the browser share: the trainer, its buttons, settings, the link, the code.
import { markPlaying, View } from "../hand.js"
import { readLink, writeLink } from "../link.js"
import { setReplaying } from "../replay.js"
import { readTheme } from "../theme.js"
import { panelOf } from "./panel.js"
import { Session, SLOW } from "./session.js"
import { linkOf, logText, readLog, readSettings, stepsIn } from "./settings.js"
import { trainerOf } from "./trainer.js"

const SPEEDS = { full: Infinity, "100 steps/s": 100, "10 steps/s": 10, "slow motion": SLOW }
/** The buttons of training, for a page's HTML. */
export const TRANSPORT = `<button class="play primary">Play</button><button class="d">Step D</button><button class="g"
    >Step G</button><button class="rewind" title="The same first weights, batches and noise">Rewind</button>
    <label>Speed <select class="speed"></select></label>`
/** Where the settings and the code go. */
export const SETTINGS = `<summary>Settings</summary><div class="fields"></div>`
/** What is said on the picture while it does again what the link says was done. */
export const REPLAY = `<p class="replay" role="status" hidden></p>`
/** Where the steps go. */
export const STEPS = `<div><dt>Step</dt><dd><span class="step"></span> <small class="d-steps"></small></dd></div>`
export const DIALOG = `<dialog><div class="bar"><button class="copy">Copy</button><a class="save">Download</a>
    <button class="close-code" aria-label="Close">✕</button></div><pre tabindex="0"></pre></dialog>`

/** A page's part calls `start` when it is ready, and has the methods
 *   ask()                what the session is to show next
 *   heard(shown)         what it shows has come
 *   paint(last, theme)   draw what it has said last
 *   extra(), take(link)  its own values for the link, and what to do with those of a link */
export class Desk extends View {
  /** @param {{prefix: string, fields: object, study: (settings: object) => object, worker: string | URL,
   *   script: (settings: object, log: object[]) => string, file: string}} page */
  constructor(parent, name, html, page) {
    super(parent, name, html)
    Object.assign(this, { page, running: false, asked: false, last: null, id: 0, told: 0 })
    this.trainer = trainerOf({
      address: page.worker, here: (post) => new Session(page.study, post), hear: (message) => this.hear(message),
    })
    this.fill = panelOf(this.get(".fields"), page.fields, (field, value) => this.change(field, value))
    const on = (selector, act) => { this.get(selector).onclick = act }
    on(".play", () => this.run(!this.running))
    on(".d", () => this.step("d"))
    on(".g", () => this.step("g"))
    on(".rewind", () => this.begin(this.settings))
    on(".code", () => this.showCode())
    on(".close-code", () => this.get("dialog").close())
    on(".copy", async () => {
      await navigator.clipboard.writeText(this.get("pre").textContent)
      this.get(".copy").textContent = "Copied"
    })
    const speed = this.get(".speed")
    for (const title of Object.keys(SPEEDS)) speed.add(new Option(title))
    speed.onchange = () => { if (this.running) this.run(true); this.write() }
    this.get("details").open = innerWidth > 820 && innerHeight > 480 // as in desk.css
  }
  /** Open what the link says, now and whenever Back, Forward or a lesson change it; then draw. */
  start() {
    this.away = () => this.open()
    addEventListener("popstate", this.away)
    this.open()
    this.frame = requestAnimationFrame(() => this.draw())
  }
  update() {}
  end() {
    cancelAnimationFrame(this.frame)
    removeEventListener("popstate", this.away)
    this.trainer.end()
    setReplaying(false)
    super.end()
  }

  // ------------------------------------------------------------------------------ state and the link
  open() {
    const { prefix, fields } = this.page, link = readLink(prefix)
    this.root.classList.toggle("taught", "lesson" in readLink("")) // a question above it needs room
    if (link.speed in SPEEDS) this.get(".speed").value = link.speed
    this.take(link)
    this.begin(readSettings(fields, link), readLog(fields, link.log ?? ""), false)
    this.run(link.play === "1")
  }
  /** Train from the first weights of these settings, after what the log says was done. */
  begin(settings, log = [], write = true) {
    Object.assign(this, { base: settings, settings, log, last: null, id: this.id + 1, goal: stepsIn(log) })
    setReplaying(this.goal > 0)
    this.trainer.say({ start: { settings, log, id: this.id } })
    this.fill(settings)
    if (write) this.write()
  }
  /** Go on from here with another value where that can be, else begin again. */
  change(name, value) {
    this.settings = { ...this.settings, [name]: value }
    if (this.page.fields[name].live && this.last?.step + this.last?.dSteps > 0) {
      this.tell({ change: { [name]: value } })
    } else this.begin(this.settings)
  }
  run(running) {
    this.running = running
    this.tell({ run: running ? SPEEDS[this.get(".speed").value] : 0 })
    markPlaying(this.get(".play"), running)
  }
  step(op) {
    if (this.running) this.run(false)
    this.tell({ op, count: 1 })
  }
  // Once it is known what came of it, it goes into the link.
  tell(message) {
    this.told += 1
    this.toWrite = true
    this.trainer.say({ ...message, told: this.told })
  }
  write() {
    const { prefix, fields } = this.page, speed = this.get(".speed").value
    writeLink(prefix, {
      ...linkOf(fields, this.base),
      log: logText(fields, this.log),
      speed: speed === "full" ? null : speed,
      ...this.extra(),
    })
  }

  // --------------------------------------------------------------------------------------- each frame
  hear(message) {
    this.asked = false
    if (this.gone || message.id !== this.id) return // or it is about a GAN of before
    this.last = message
    const live = Object.keys(this.page.fields).filter((name) => this.page.fields[name].live)
    this.settings = { ...this.settings, ...Object.fromEntries(live.map((name) => [name, message.settings[name]])) }
    this.log = message.log
    this.replaying(message)
    this.heard(message.shown)
    if (this.toWrite && message.told === this.told && !message.busy && !this.running) { this.toWrite = false; this.write() }
  }
  replaying({ busy, log }) {
    const done = stepsIn(log), shown = busy && done < this.goal
    setReplaying(shown)
    this.get(".replay").hidden = !shown
    if (shown) this.say(".replay", `Replaying … step ${done.toLocaleString("en")} of ${this.goal.toLocaleString("en")}`)
  }
  draw() {
    this.frame = requestAnimationFrame(() => this.draw())
    if (!this.get("canvas").checkVisibility()) return
    if (!this.asked) {
      this.asked = true
      this.trainer.say({ ask: this.ask() })
    }
    if (!this.last) return
    this.paint(this.last, readTheme(this.root))
    const { step, log, busy } = this.last
    Object.assign(this.root.dataset, { step, log: logText(this.page.fields, log), busy })
  }
  /** Set a text if it is another one. */
  say(selector, text) {
    const element = this.get(selector)
    if (element.textContent !== text) element.textContent = text
  }

  /** Steps of G and, where D has taken another number, D's. @param {{step: number, dSteps: number}} last */
  countSteps({ step, dSteps }) {
    this.say(".step", step.toLocaleString("en"))
    this.say(".d-steps", dSteps === step ? "" : `D ${dSteps.toLocaleString("en")}`)
  }

  showCode() {
    const text = this.page.script(this.base, this.log), save = this.get(".save")
    this.get("pre").textContent = text
    this.get(".copy").textContent = "Copy"
    URL.revokeObjectURL(save.href)
    save.download = this.page.file
    save.href = URL.createObjectURL(new Blob([text], { type: "text/x-python" }))
    this.get("dialog").showModal()
  }
}

/** A canvas as many pixels large as the screen has there, its pen in CSS pixels.
 * @param {HTMLCanvasElement} canvas @returns {{pen: CanvasRenderingContext2D, width: number, height: number}} */
export const sheetOf = (canvas) => {
  const { clientWidth: width, clientHeight: height } = canvas, ratio = devicePixelRatio
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, { width: across, height: down })
  const pen = canvas.getContext("2d")
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  return { pen, width, height }
}
