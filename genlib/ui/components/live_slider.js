// A range input that sends while it moves. At most one value is under way to the server; the
// newest value of the hand goes out when the server's answer (data.seq) has come back. Where data.post
// names an address, what the hand passes over is posted there, and the page hears where it rests.
const WAIT_MS = 1000; // an answer that never comes must not freeze the slider
const REST_MS = 150; // each press of an arrow key is a rest of its own, but only the last counts
const sliders = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  let s = sliders.get(parentElement);
  if (!s) {
    s = build(parentElement.querySelector(".live"));
    s.seq = data.seq;
    sliders.set(parentElement, s);
  }
  s.emit = (value) => setStateValue("value", value);
  s.decimals = data.decimals;
  s.post = data.post;
  dress(s, data);
  if (data.seq >= s.seq && !s.posting) answered(s, data);
  return () => clearTimeout(s.timer);
}

function build(root) {
  root.innerHTML = `
    <label><span class="name"></span><span class="help" tabindex="0" hidden>?</span>
    <output></output></label><input type="range"><div class="why" hidden></div>`;
  const get = (selector) => root.querySelector(selector);
  const s = { input: get("input"), out: get("output"), name: get(".name"), help: get(".help"),
    why: get(".why"), seq: 0, busy: false, posting: false, held: false, want: null, emit: null,
    timer: 0, resting: 0, post: null };
  s.input.oninput = () => { clearTimeout(s.resting); s.held = true; want(s, false); };
  s.input.onchange = () => {
    clearTimeout(s.resting);
    s.resting = setTimeout(() => { s.held = false; want(s, true); }, s.post ? REST_MS : 0);
  };
  return s;
}

function dress(s, d) {
  s.name.textContent = d.label;
  s.input.setAttribute("aria-label", d.label);
  s.help.hidden = !d.help;
  s.help.title = d.help;
  s.help.setAttribute("aria-label", d.help);
  s.options = d.options; // values that the stops stand for; none: the slider's own numbers
  s.input.min = d.options ? 0 : d.low;
  s.input.max = d.options ? d.options.length - 1 : d.high;
  s.input.step = d.options ? 1 : d.step;
  s.input.disabled = Boolean(d.disabled);
  s.why.hidden = !d.disabled;
  s.why.textContent = d.disabled;
}

function answered(s, data) {
  s.busy = false;
  clearTimeout(s.timer);
  if (s.want) return send(s);
  // The hand has nothing left to say, so the server's value holds (a button may have moved it).
  s.seq = data.seq;
  if (!s.held) s.input.value = s.options ? nearest(s.options, data.value) : data.value;
  paint(s);
}

function want(s, rest) {
  s.want = { x: read(s), rest };
  paint(s);
  if (!s.busy) send(s);
}

function send(s) {
  if (s.post && !s.want.rest) return post(s);
  const value = { ...s.want, seq: ++s.seq };
  s.want = null;
  s.busy = true;
  clearTimeout(s.timer);
  s.timer = setTimeout(() => { s.busy = false; if (s.want) send(s); }, WAIT_MS);
  s.emit(value);
}

async function post(s) {
  const { x } = s.want, [address, name] = s.post;
  s.want = null;
  s.busy = s.posting = true;
  try {
    const signal = AbortSignal.timeout(WAIT_MS);
    await fetch(address, { method: "POST", body: JSON.stringify({ [name]: x }), signal });
  } catch (problem) {
    console.debug("a value did not arrive; the next or the last will:", problem);
  }
  s.busy = s.posting = false;
  if (s.want) send(s);
}

function read(s) {
  return s.options ? s.options[Number(s.input.value)] : Number(s.input.value);
}

function nearest(options, value) {
  const far = options.map((option) => Math.abs(option - value));
  return far.indexOf(Math.min(...far));
}

function paint(s) {
  const { min, max, value } = s.input;
  s.out.textContent = s.options ? String(read(s)) : read(s).toFixed(s.decimals);
  s.input.style.setProperty("--at", `${(100 * (value - min)) / (max - min)}%`);
}
