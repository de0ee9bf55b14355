// A grid of kernels on one canvas. One weight is SCALE device-independent pixels, always whole, so
// that nothing is resampled. Hover: magnifier. Click or Enter: choose. Arrows: move the choice.
const GAP = 3; // room for the frames
const AMBER = "#ff9f1a";
const grids = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  let g = grids.get(parentElement);
  if (!g) {
    g = build(parentElement.querySelector(".kernels"));
    grids.set(parentElement, g);
  }
  g.data = unpack(data);
  g.emit = (unit) => setStateValue("unit", unit);
  g.scroll.style.maxHeight = `${g.data.height}px`;
  layout(g);
  return () => {
    g.watch.disconnect();
    grids.delete(parentElement);
  };
}

function build(root) {
  root.innerHTML = `<div class="scroll"><canvas class="grid" tabindex="0" role="img"></canvas></div>
    <div class="lens" hidden><canvas></canvas><div class="note"></div></div>`;
  const g = {
    root,
    scroll: root.querySelector(".scroll"),
    canvas: root.querySelector(".grid"),
    lens: root.querySelector(".lens"),
    glass: root.querySelector(".lens canvas"),
    note: root.querySelector(".note"),
    width: 0,
  };
  g.canvas.onmousemove = (e) => hover(g, at(g, e));
  g.canvas.onmouseleave = () => hover(g, -1);
  g.canvas.onclick = (e) => choose(g, at(g, e));
  g.canvas.onkeydown = (e) => key(g, e);
  g.watch = new ResizeObserver(() => {
    if (g.data && root.clientWidth !== g.width) layout(g);
  });
  g.watch.observe(root);
  return g;
}

function layout(g) {
  const { data: d, root, canvas } = g;
  g.width = root.clientWidth;
  const room = Math.max(g.width - 14, d.columns + GAP); // 14: the scroll bar
  const n = d.units.length;
  // The largest whole scale at which the grid needs no scrolling, else scale 1 and a scroll bar.
  g.scale = 1;
  for (const scale of [4, 3, 2]) {
    const across = Math.floor(room / (d.columns * scale + GAP));
    const down = Math.ceil(n / Math.max(across, 1));
    if (across >= 1 && down * (d.rows * scale + GAP) <= d.height) {
      g.scale = scale;
      break;
    }
  }
  g.stepX = d.columns * g.scale + GAP;
  g.stepY = d.rows * g.scale + GAP;
  g.across = Math.max(1, Math.min(n, Math.floor(room / g.stepX)));
  canvas.width = g.across * g.stepX + GAP;
  canvas.height = Math.ceil(n / g.across) * g.stepY + GAP;
  canvas.dataset.scale = g.scale;
  canvas.dataset.across = g.across;
  canvas.dataset.marked = d.marked.filter(Boolean).length;
  canvas.setAttribute("aria-label", `${n} kernels; arrow keys choose one`);
  paint(g);
}

function paint(g) {
  const { data: d, canvas } = g;
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < d.units.length; i++) {
    const x = GAP + (i % g.across) * g.stepX;
    const y = GAP + Math.floor(i / g.across) * g.stepY;
    pen.putImageData(picture(d, i, g.scale), x, y);
    if (d.marked[i]) frame(pen, x, y, g, AMBER);
    if (d.units[i] === d.selected) frame(pen, x, y, g, accent(g));
  }
}

function frame(pen, x, y, g, colour) {
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.strokeRect(x - 1, y - 1, g.stepX - GAP + 2, g.stepY - GAP + 2);
}

function accent(g) {
  return getComputedStyle(g.root).getPropertyValue("--st-primary-color").trim() || "#e5484d";
}

function picture(d, index, scale) {
  const { rows, columns, levels, palette } = d;
  const image = new ImageData(columns * scale, rows * scale);
  const start = index * rows * columns;
  let out = 0;
  for (let y = 0; y < rows * scale; y++) {
    const row = start + Math.floor(y / scale) * columns;
    for (let x = 0; x < columns * scale; x++) {
      const colour = 3 * levels[row + Math.floor(x / scale)];
      image.data[out++] = palette[colour];
      image.data[out++] = palette[colour + 1];
      image.data[out++] = palette[colour + 2];
      image.data[out++] = 255;
    }
  }
  return image;
}

function at(g, event) {
  const box = g.canvas.getBoundingClientRect();
  const column = Math.floor((event.clientX - box.left - GAP / 2) / g.stepX);
  const row = Math.floor((event.clientY - box.top - GAP / 2) / g.stepY);
  const index = row * g.across + column;
  const inside = column >= 0 && column < g.across && row >= 0 && index < g.data.units.length;
  return inside ? index : -1;
}

function hover(g, index) {
  g.lens.hidden = index < 0;
  if (index < 0) return;
  const d = g.data;
  const scale = Math.max(1, Math.round(168 / d.columns));
  g.glass.width = d.columns * scale;
  g.glass.height = d.rows * scale;
  g.glass.getContext("2d").putImageData(picture(d, index, scale), 0, 0);
  g.note.textContent = d.notes[index];
  const x = (index % g.across) * g.stepX;
  const y = Math.floor(index / g.across) * g.stepY - g.scroll.scrollTop;
  const wide = g.glass.width + 16;
  const right = x + g.stepX + 8;
  g.lens.style.left = `${right + wide < g.root.clientWidth ? right : Math.max(0, x - wide - 6)}px`;
  g.lens.style.top = `${Math.max(0, y - 60)}px`;
}

function choose(g, index) {
  if (index < 0) return;
  g.data = { ...g.data, selected: g.data.units[index] };
  paint(g); // at once; the server confirms
  g.emit(g.data.selected);
}

function key(g, event) {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -g.across, ArrowDown: g.across }[event.key];
  if (!step) return;
  event.preventDefault();
  const now = g.data.units.indexOf(g.data.selected);
  const next = now < 0 ? 0 : now + step;
  if (next >= 0 && next < g.data.units.length) choose(g, next);
}
