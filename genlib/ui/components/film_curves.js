// Three small charts under the film: objective, probability, gradient norm, one line per class.
const CHART_HEIGHT = 150, PAD = { left: 8, right: 10, top: 26, bottom: 20 };

function colourOf(cls, classes, colours) {
  if (classes.length < 2) return colours.accent;
  return colours.lines[classes.indexOf(cls) % colours.lines.length] || colours.accent;
}

// steps (T,); table (3, K, T) as film.py's Curves gives it, NaN where a class was no target.
function drawCurves(canvas, { curve_classes: classes, steps, table }, titles, colours, ratio, wide) {
  const k = classes.length, n = steps.length;
  canvas.style.display = n > 1 ? "" : "none";
  if (n < 2) return;
  const panels = titles.map((title, j) => ({ title, j })).filter(({ j }) =>
    table.subarray(j * k * n, (j + 1) * k * n).some((v) => !Number.isNaN(v)));
  const columns = wide < 460 ? 1 : panels.length, rows = Math.ceil(panels.length / columns);
  size(canvas, Math.round(wide * ratio), CHART_HEIGHT * rows * ratio, ratio);
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  panels.forEach(({ title, j }, at) => {
    const box = { x: (at % columns) * canvas.width / columns, w: canvas.width / columns,
      y: Math.floor(at / columns) * CHART_HEIGHT * ratio, h: CHART_HEIGHT * ratio };
    const lines = classes.map((cls, c) => ({ colour: colourOf(cls, classes, colours),
      y: table.subarray((j * k + c) * n, (j * k + c + 1) * n) }));
    panel(context, box, title, steps, lines, j === 1 ? [0, 1] : null, colours, ratio);
  });
}

function size(canvas, width, height, ratio) {
  if (canvas.width === width && canvas.height === height) return;
  canvas.width = width;
  canvas.height = height;
  canvas.style.height = `${height / ratio}px`;
}

function panel(context, box, title, steps, lines, fixed, colours, ratio) {
  const left = box.x + PAD.left * ratio, right = box.x + box.w - PAD.right * ratio;
  const top = box.y + PAD.top * ratio, bottom = box.y + box.h - PAD.bottom * ratio;
  const [low, high] = fixed || range(lines);
  const last = steps[steps.length - 1], first = steps[0];
  const x = (s) => left + ((right - left) * (s - first)) / Math.max(1, last - first);
  const y = (v) => bottom - ((bottom - top) * (v - low)) / (high - low);
  context.font = `600 ${13 * ratio}px ${colours.font}`;
  context.fillStyle = colours.text;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(title, left, box.y + 4 * ratio);
  context.strokeStyle = colours.line;
  context.lineWidth = ratio;
  context.strokeRect(left, top, right - left, bottom - top);
  context.lineWidth = 2 * ratio;
  for (const line of lines) {
    context.strokeStyle = line.colour;
    context.beginPath();
    let pen = false;
    steps.forEach((s, t) => {
      const v = line.y[t];
      if (Number.isNaN(v)) pen = false;
      else if (pen) context.lineTo(x(s), y(v));
      else { context.moveTo(x(s), y(v)); pen = true; }
    });
    context.stroke();
  }
  context.font = `${12 * ratio}px ${colours.font}`;
  context.textAlign = "right";
  context.fillText(`${short(low)} to ${short(high)}`, right, box.y + 5 * ratio);
  context.fillText(`step ${Math.round(last).toLocaleString("en")}`, right, bottom + 4 * ratio);
}

function range(lines) {
  let low = Infinity, high = -Infinity;
  for (const { y } of lines) for (const v of y) if (Number.isFinite(v)) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  return high > low ? [low, high] : [low - 1, low + 1];
}

function short(v) {
  return Math.abs(v) >= 1e5 || (v && Math.abs(v) < 1e-3) ? v.toExponential(1)
    : v.toLocaleString("en", { maximumSignificantDigits: 3 });
}
