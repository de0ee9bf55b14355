// What the hand does to the map: pan, zoom, pinch, click, lasso, hover.

const CLICK_REACH = 4; // CSS pixels that a click may slip
const TAP_REACH = 12; // a point this near the pointer is meant

class MapHand {
  // on: {hover(px, py) , leave(), click(px, py), lasso(polygon, done)}
  constructor(canvas, view, on) {
    [this.canvas, this.view, this.on] = [canvas, view, on];
    this.pointers = new Map(); // id -> [px, py]
    this.lassoing = false; // the toolbar's switch
    this.polygon = null;
    canvas.onpointerdown = (e) => this.down(e);
    canvas.onpointermove = (e) => this.move(e);
    canvas.onpointerup = canvas.onpointercancel = (e) => this.up(e);
    canvas.onpointerleave = () => on.leave();
    canvas.ondblclick = () => view.fit();
    canvas.onkeydown = (e) => this.key(e);
    canvas.onwheel = (e) => {
      e.preventDefault();
      const pixels = e.deltaMode === 1 ? 33 * e.deltaY : e.deltaY; // Firefox counts in lines
      view.zoom(Math.exp(-pixels * 0.0018), ...this.where(e));
    };
  }

  where(e) {
    const box = this.canvas.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  }

  down(e) {
    if (e.button !== 0) return;
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(e.pointerId);
    this.pointers.set(e.pointerId, this.where(e));
    this.began = this.where(e);
    this.slipped = this.pointers.size > 1;
    this.polygon = (this.lassoing || e.shiftKey) && this.pointers.size === 1 ? [this.began] : null;
  }

  move(e) {
    const here = this.where(e);
    if (!this.pointers.has(e.pointerId)) return this.on.hover(...here, e.timeStamp);
    const before = [...this.pointers.values()];
    const last = this.pointers.get(e.pointerId);
    this.pointers.set(e.pointerId, here);
    if (Math.hypot(here[0] - this.began[0], here[1] - this.began[1]) > CLICK_REACH) this.slipped = true;
    if (!this.slipped) return;
    this.on.leave();
    if (this.pointers.size === 2) return this.pinch(before, [...this.pointers.values()]);
    if (this.polygon) {
      this.polygon.push(here);
      return this.on.lasso(this.polygon, false);
    }
    this.view.pan(here[0] - last[0], here[1] - last[1]);
  }

  pinch([a, b], [c, d]) {
    const apart = (p, q) => Math.max(1, Math.hypot(p[0] - q[0], p[1] - q[1]));
    const middle = (p, q) => [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
    const [x0, y0] = middle(a, b), [x1, y1] = middle(c, d);
    this.view.pan(x1 - x0, y1 - y0);
    this.view.zoom(apart(c, d) / apart(a, b), x1, y1);
  }

  up(e) {
    if (!this.pointers.delete(e.pointerId)) return;
    if (e.type === "pointercancel") this.slipped = true;
    if (this.pointers.size) return;
    if (this.polygon && this.slipped) this.on.lasso(this.polygon, true);
    else if (!this.slipped) this.on.click(...this.where(e));
    this.polygon = null;
  }

  key(e) {
    const { view } = this;
    const middle = [view.width / 2, view.height / 2];
    const keys = {
      "+": () => view.zoom(1.25, ...middle),
      "=": () => view.zoom(1.25, ...middle),
      "-": () => view.zoom(0.8, ...middle),
      0: () => view.fit(),
      ArrowLeft: () => view.pan(40, 0),
      ArrowRight: () => view.pan(-40, 0),
      ArrowUp: () => view.pan(0, 40),
      ArrowDown: () => view.pan(0, -40),
    };
    if (!keys[e.key] || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    e.stopPropagation();
    keys[e.key]();
  }
}

// Which of the points are inside the polygon (even-odd rule), all in CSS pixels.
function inside(polygon, [px, py]) {
  let within = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i], [xj, yj] = polygon[j];
    if (yi > py !== yj > py && px < ((xj - xi) * (py - yi)) / (yj - yi) + xi) within = !within;
  }
  return within;
}
