// How the images of pixels.js look: ink, probabilities, nats, and a receptive field over them.
const UNDRAWN = [86, 103, 108];
const MOST_NATS = 4; // the brightest colour; more looks no brighter
// "inferno" of S. van der Walt and N. Smith, as in matplotlib
const HEAT = [[0, 0, 4], [66, 10, 104], [147, 38, 103], [221, 81, 58], [252, 165, 10], [252, 255, 164]];

function heat(share) {
  const at = Math.min(0.9999, Math.max(0, share)) * (HEAT.length - 1), k = Math.floor(at);
  return HEAT[k].map((c, i) => c + (HEAT[k + 1][i] - c) * (at - k));
}

const sigmoid = (logit) => 1 / (1 + Math.exp(-logit));
// -log p of what the pixel is, in nats, without overflow: log(1 + e^l) - x l.
const nats = (logit, ink) => Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - ink * logit;

const LOOKS = {
  image: { name: "Image", colour: (d, k) => grey(d.images[k]), legend: "" },
  p: {
    name: "p of ink",
    colour: (d, k) => grey(sigmoid(d.logits[k] / d.temperature)),
    legend: ["0", "linear-gradient(to right, #000, #fff)", "1", "p of ink, given the pixels before"],
  },
  nats: {
    name: "Nats",
    colour: (d, k) => heat(nats(d.logits[k], d.images[k]) / MOST_NATS),
    legend: ["0", `linear-gradient(to right, ${HEAT.map((c) => `rgb(${c})`)})`, `${MOST_NATS}+`,
      "nats, −log p of the pixel as it is"],
  },
};

function grey(share) {
  const level = Math.round(255 * share);
  return [level, level, level];
}

// One image at one canvas pixel each: `drawn` pixels are there, the others are blank.
function small(d, sample, look, drawn) {
  const [, height, width] = d.shape, n = height * width;
  const image = new ImageData(width, height);
  for (let k = 0; k < n; k++) {
    const shown = k < drawn || (look !== "image" && k === drawn);
    const blank = look === "nats" ? k >= drawn : !shown;
    const [r, g, b] = blank ? UNDRAWN : LOOKS[look].colour(d, sample * n + k);
    image.data.set([r, g, b, 255], 4 * k);
  }
  return image;
}

function enlarge(context, image, x, y, scale) {
  const raw = document.createElement("canvas");
  [raw.width, raw.height] = [image.width, image.height];
  raw.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(raw, x, y, image.width * scale, image.height * scale);
}

function paintMain(canvas, d, { sample, look, drawn, place, subject, field }) {
  const [, height, width] = d.shape, cell = Math.max(4, Math.floor(616 / width));
  if (canvas.width !== width * cell) [canvas.width, canvas.height] = [width * cell, height * cell];
  const context = canvas.getContext("2d");
  enlarge(context, small(d, sample, look, drawn), 0, 0, cell);
  if (d.known) {
    context.fillStyle = "#ff9d45";
    context.fillRect(0, (d.known / width) * cell - 2, canvas.width, 4);
  }
  if (field) paintField(context, d, field, place, cell);
  // Cyan: the next to be drawn. Pink: the pixel that the text beside it is about.
  if (drawn < height * width) outline(context, drawn, width, cell, "#3fd6e8");
  if (place || drawn === height * width) outline(context, subject, width, cell, "#ff3df2");
}

function outline(context, index, width, cell, colour) {
  const column = index % width, row = Math.floor(index / width);
  context.lineWidth = 3;
  context.strokeStyle = colour;
  context.strokeRect(column * cell - 1.5, row * cell - 1.5, cell + 3, cell + 3);
}

// Orange: what pulls; hatched: before the pixel, yet never seen; dimmed: not yet drawn by then.
function paintField(context, d, { pull, seen }, place, cell) {
  const [, height, width] = d.shape, index = place.row * width + place.column;
  for (let k = 0; k < height * width; k++) {
    const x = (k % width) * cell, y = Math.floor(k / width) * cell;
    if (k >= index) {
      context.fillStyle = "rgba(40, 52, 56, 0.8)";
      context.fillRect(x, y, cell, cell);
    } else if (seen[k]) {
      context.fillStyle = `rgba(255, 140, 0, ${0.12 + 0.78 * Math.sqrt(pull[k] / 255)})`;
      context.fillRect(x, y, cell, cell);
    } else {
      context.fillStyle = "rgba(30, 90, 200, 0.45)";
      context.fillRect(x, y, cell, cell);
      context.strokeStyle = "rgba(200, 220, 255, 0.8)";
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(x, y + cell);
      context.lineTo(x + cell, y);
      context.stroke();
    }
  }
}

const GRID_COLUMNS = 8, GRID_SCALE = 3, GRID_GAP = 8;

function paintGrid(canvas, d, { sample, look, drawn }) {
  const [count, height, width] = d.shape;
  const columns = Math.min(count, GRID_COLUMNS), rows = Math.ceil(count / columns);
  const [stepX, stepY] = [width * GRID_SCALE + GRID_GAP, height * GRID_SCALE + GRID_GAP];
  if (canvas.width !== columns * stepX) canvas.width = columns * stepX;
  if (canvas.height !== rows * stepY) canvas.height = rows * stepY;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (let k = 0; k < count; k++) {
    const x = (k % columns) * stepX + GRID_GAP / 2, y = Math.floor(k / columns) * stepY + GRID_GAP / 2;
    if (k === sample) {
      context.fillStyle = "#ff3df2";
      context.fillRect(x - 4, y - 4, width * GRID_SCALE + 8, height * GRID_SCALE + 8);
    }
    enlarge(context, small(d, k, look, drawn), x, y, GRID_SCALE);
  }
}
