// The drawing canvas: strokes are kept here, sent to Python while drawing, and come back framed.
// A stroke is {w: brush diameter, p: [x0, y0, x1, y1, ...]} in thousandths of the canvas side.

const SEND_EVERY_MS = 80; // no more often than this while drawing
const GIVE_UP_MS = 500; // send again though Python has not answered: an answer can be lost
const MIN_STEP = 3; // thousandths: nearer points than this add nothing that can be seen
const EMPTY_HINT = "Draw here";

const HTML = `
<div class="label"></div>
<div class="row">
  <div class="left">
    <canvas class="sheet" tabindex="0"></canvas>
    <div class="tools">
      <button type="button" class="undo" title="Take back the last step (Ctrl+Z)">Undo</button>
      <button type="button" class="clear" title="Wipe the canvas">Clear</button>
      <label title="Brush diameter, in percent of the canvas side">
        Brush <input class="brush" type="range" min="40" max="160" step="5"><i class="dot"></i>
      </label>
    </div>
  </div>
  <div class="side">
    <canvas class="seen" width="28" height="28"></canvas>
    <div class="caption"></div>
    <label title="Show the strokes as they lie on the canvas, neither centred nor scaled">
      <input class="raw" type="checkbox"> Raw strokes
    </label>
  </div>
</div>`;

const sheets = new WeakMap();

class Sheet {
  constructor(parent, data) {
    this.root = document.createElement("div");
    this.root.className = "draw";
    this.root.innerHTML = HTML;
    parent.appendChild(this.root);
    const find = (name) => this.root.querySelector("." + name);
    this.parts = {};
    for (const name of ["label", "left", "sheet", "undo", "clear", "brush", "dot", "seen", "caption", "raw"]) {
      this.parts[name] = find(name);
    }
    this.parts.brush.value = 85;
    this.strokes = (data.strokes ?? []).map((s) => ({ w: s.w, p: [...s.p] }));
    this.past = []; // what to go back to: one list of strokes for each undo
    this.seq = data.seq ?? 0; // number of the newest drawing
    this.sentSeq = this.seq; // number of the newest drawing that was sent
    this.sentAt = 0;
    this.pointer = null;
    this.timer = null;
    this.listen();
  }

  listen() {
    const { sheet, undo, clear, brush, raw } = this.parts;
    sheet.onpointerdown = (e) => this.begin(e);
    sheet.onpointermove = (e) => this.extend(e);
    sheet.onpointerup = (e) => this.end(e);
    sheet.onpointercancel = (e) => this.end(e);
    sheet.onkeydown = (e) => {
      if ((e.ctrlKey || e.metaKey) && e.key === "z") {
        e.preventDefault();
        this.undo();
      }
    };
    undo.onclick = () => this.undo();
    clear.onclick = () => this.remember([]);
    brush.oninput = () => this.showBrush();
    raw.onchange = () => this.showSeen();
  }

  update(component) {
    this.data = component.data;
    this.send = component.setStateValue; // always the newest: older ones are dead
    const { label, sheet } = this.parts;
    label.textContent = this.data.label;
    sheet.setAttribute("aria-label", this.data.label);
    if (this.size !== this.data.size) this.resize(this.data.size);
    this.showSeen();
    this.sayAnswered();
    this.schedule();
  }

  // Whether the digit shown is that of the newest strokes.
  sayAnswered() {
    this.root.dataset.answered = this.data.seq >= this.seq;
  }

  resize(size) {
    this.size = size;
    const { left, sheet } = this.parts;
    left.style.width = size + "px";
    const dpr = window.devicePixelRatio || 1;
    sheet.style.width = sheet.style.height = size + "px";
    sheet.width = sheet.height = Math.round(size * dpr);
    this.showBrush();
    this.paint();
  }

  // ---- input ----
  where(e) {
    const box = this.parts.sheet.getBoundingClientRect();
    const unit = (v) => Math.round(1000 * Math.min(1, Math.max(0, v)));
    return [unit((e.clientX - box.left) / box.width), unit((e.clientY - box.top) / box.height)];
  }

  begin(e) {
    if (this.pointer !== null || e.button !== 0) return; // a second finger draws nothing
    e.preventDefault();
    this.parts.sheet.focus({ preventScroll: true });
    this.parts.sheet.setPointerCapture(e.pointerId);
    this.pointer = e.pointerId;
    this.past.push(this.strokes);
    this.strokes = [...this.strokes, { w: Number(this.parts.brush.value), p: this.where(e) }];
    this.changed();
  }

  extend(e) {
    if (e.pointerId !== this.pointer) return;
    const points = this.strokes[this.strokes.length - 1].p;
    const events = e.getCoalescedEvents?.() ?? [];
    for (const event of events.length ? events : [e]) {
      const [x, y] = this.where(event);
      const [px, py] = points.slice(-2);
      if (Math.abs(x - px) + Math.abs(y - py) >= MIN_STEP) points.push(x, y);
    }
    this.changed();
  }

  end(e) {
    if (e.pointerId !== this.pointer) return;
    this.pointer = null;
    this.changed();
  }

  remember(strokes) {
    if (!this.strokes.length && !strokes.length) return;
    this.past.push(this.strokes);
    this.strokes = strokes;
    this.changed();
  }

  undo() {
    if (this.pointer !== null || !(this.past.length || this.strokes.length)) return;
    // After a page change the steps are gone but the strokes came back: take the last one away.
    this.strokes = this.past.length ? this.past.pop() : this.strokes.slice(0, -1);
    this.changed();
  }

  changed() {
    this.seq += 1;
    this.sayAnswered();
    this.paint();
    this.schedule();
  }

  // ---- sending: newest wins, one at a time ----
  waitMs() {
    const since = performance.now() - this.sentAt;
    const answered = this.data.seq >= this.sentSeq;
    // A new value stops a script that still runs: wait, so that slow pages get to their end.
    const busy = document.querySelector("[data-test-script-state=running]") !== null;
    if ((!answered || busy) && since < GIVE_UP_MS) return 15;
    return Math.max(0, SEND_EVERY_MS - since);
  }

  schedule() {
    if (this.timer !== null || this.seq === this.sentSeq) return;
    const wait = this.waitMs();
    if (wait > 0) {
      this.timer = setTimeout(() => {
        this.timer = null;
        this.schedule();
      }, wait);
      return;
    }
    this.sentSeq = this.seq;
    this.sentAt = performance.now();
    this.send("drawing", { seq: this.seq, strokes: this.strokes });
  }

  // ---- painting ----
  paint() {
    const { sheet, undo, clear } = this.parts;
    const side = sheet.width;
    const ctx = sheet.getContext("2d");
    ctx.fillStyle = "#000";
    ctx.fillRect(0, 0, side, side);
    if (!this.strokes.length) {
      ctx.fillStyle = "#777";
      ctx.font = `${side / 16}px sans-serif`;
      ctx.textAlign = "center";
      ctx.fillText(EMPTY_HINT, side / 2, side / 2);
    }
    ctx.strokeStyle = "#fff";
    ctx.lineCap = ctx.lineJoin = "round";
    for (const { w, p } of this.strokes) {
      ctx.lineWidth = (w / 1000) * side;
      ctx.beginPath();
      ctx.moveTo((p[0] / 1000) * side, (p[1] / 1000) * side);
      for (let i = 0; i < p.length; i += 2) ctx.lineTo((p[i] / 1000) * side, (p[i + 1] / 1000) * side);
      ctx.stroke();
    }
    undo.disabled = !(this.past.length || this.strokes.length);
    clear.disabled = !this.strokes.length;
  }

  showBrush() {
    const { brush, dot } = this.parts;
    dot.style.width = dot.style.height = (Number(brush.value) / 1000) * this.size + "px";
    brush.title = `${Number(brush.value) / 10} % of the canvas side`;
  }

  showSeen() {
    const { seen, caption, raw } = this.parts;
    const bytes = atob(raw.checked ? this.data.unframed : this.data.framed);
    const image = new ImageData(28, 28);
    for (let i = 0; i < 784; i++) {
      const ink = bytes.length === 784 ? bytes.charCodeAt(i) : 0;
      image.data.set([ink, ink, ink, 255], 4 * i);
    }
    seen.getContext("2d").putImageData(image, 0, 0);
    caption.textContent = raw.checked
      ? "Your strokes at 28×28, as they lie."
      : "What the model sees: 28×28, centred and scaled as MNIST was.";
  }
}

export default function (component) {
  const parent = component.parentElement;
  if (!sheets.has(parent)) sheets.set(parent, new Sheet(parent, component.data));
  const sheet = sheets.get(parent);
  sheet.update(component);
  return () => {
    clearTimeout(sheet.timer);
    sheet.root.remove();
    sheets.delete(parent);
  };
}
