// A range input that sends while it moves. At most one value is under way to the server; the
// newest value goes out when the server's answer (data.seq) has come back. Where data.post
// names an address, values on the way are posted there, and the page hears only where it comes to rest.
import { component, fill, Rest, REST_MS, View } from "../shared/hand.js"

const WAIT_MS = 1000 // an answer that never comes must not freeze the slider
const HTML = `
  <label><span class="name"></span><span class="help" tabindex="0" hidden>?</span>
  <output></output></label><input class="slider" type="range"><div class="why" hidden></div>`

const nearest = (options, value) => {
  const far = options.map((option) => Math.abs(option - value))
  return far.indexOf(Math.min(...far))
}

class LiveSlider extends View {
  constructor(parent, data) {
    super(parent, "live", HTML)
    const { get } = this
    Object.assign(this, { input: get("input"), out: get("output"), name: get(".name"),
      help: get(".help"), why: get(".why"), seq: data.seq, busy: false, posting: false, held: false,
      wanted: null, timer: 0 })
    // Each press of an arrow key is a rest of its own, but only the last counts.
    this.rest = new Rest(() => { this.held = false; this.want(true) })
    this.input.oninput = () => { this.rest.cancel(); this.held = true; this.want(false) }
    this.input.onchange = () => this.rest.moved(this.post ? REST_MS : 0)
  }
  update({ data, setStateValue }) {
    this.emit = (value) => setStateValue("value", value)
    this.data = data
    this.post = data.post
    this.dress()
    if (data.seq >= this.seq && !this.posting) this.answered()
  }
  end() { clearTimeout(this.timer); super.end() }
  dress() {
    const { data: d, input, help, why } = this
    this.name.textContent = d.label
    input.setAttribute("aria-label", d.label)
    help.hidden = !d.help
    help.title = d.help
    help.setAttribute("aria-label", d.help)
    // options: values that the stops stand for; none: the slider's own numbers
    input.min = d.options ? 0 : d.low
    input.max = d.options ? d.options.length - 1 : d.high
    input.step = d.options ? 1 : d.step
    input.disabled = Boolean(d.disabled)
    why.hidden = !d.disabled
    why.textContent = d.disabled
  }
  answered() {
    const { options, value, seq } = this.data
    this.busy = false
    clearTimeout(this.timer)
    if (this.wanted) return this.send()
    // Nothing is left to send, so the server's value holds (a button may have moved it).
    this.seq = seq
    if (!this.held) this.input.value = options ? nearest(options, value) : value
    this.paint()
  }
  want(rest) {
    this.wanted = { x: this.value, rest }
    this.paint()
    if (!this.busy) this.send()
  }
  send() {
    if (this.post && !this.wanted.rest) return this.sendByPost()
    const value = { ...this.wanted, seq: ++this.seq }
    this.wanted = null
    this.busy = true
    clearTimeout(this.timer)
    this.timer = setTimeout(() => { this.busy = false; if (this.wanted) this.send() }, WAIT_MS)
    this.emit(value)
  }
  async sendByPost() {
    const { x } = this.wanted, [address, name] = this.post
    this.wanted = null
    this.busy = this.posting = true
    try {
      const signal = AbortSignal.timeout(WAIT_MS)
      await fetch(address, { method: "POST", body: JSON.stringify({ [name]: x }), signal })
    } catch (problem) {
      console.debug("a value did not arrive; the next or the last will:", problem)
    }
    this.busy = this.posting = false
    if (this.wanted) this.send()
  }
  get value() {
    const { options } = this.data
    return options ? options[Number(this.input.value)] : Number(this.input.value)
  }
  paint() {
    this.out.textContent = this.data.options ? String(this.value) : this.value.toFixed(this.data.decimals)
    fill(this.input)
  }
}

export default component((parent, data) => new LiveSlider(parent, data))
