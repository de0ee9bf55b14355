// The layer above the points: selection, neighbours, stars, lasso; the legend; saving a picture.
// These are methods of LatentMap, kept apart because they only draw.

Object.assign(LatentMap.prototype, {
  paintTop() {
    const { top } = this.parts;
    const { view, data } = this;
    if (!data || !view.width) return;
    const ctx = top.getContext("2d");
    ctx.setTransform(view.dpr, 0, 0, view.dpr, 0, 0);
    ctx.clearRect(0, 0, view.width, view.height);
    this.paintMarks(ctx);
    if (this.over >= 0) this.ring(ctx, this.over, 2);
    if (!this.polygon) return;
    ctx.beginPath();
    this.polygon.forEach(([x, y]) => ctx.lineTo(x, y));
    ctx.closePath();
    ctx.fillStyle = view.theme.accent + "33";
    ctx.strokeStyle = view.theme.accent;
    ctx.lineWidth = 2;
    ctx.fill();
    ctx.stroke();
  },

  paintMarks(ctx) {
    const { view, data } = this;
    const at = (i) => view.toScreen(view.now[2 * i], view.now[2 * i + 1]);
    if (this.picked >= 0 && this.picked < data.labels.length) {
      ctx.strokeStyle = view.theme.text;
      ctx.lineWidth = 1.2;
      ctx.beginPath();
      for (const i of data.rays) ctx.moveTo(...at(this.picked)), ctx.lineTo(...at(i));
      ctx.stroke();
      for (const i of data.rays) this.ring(ctx, i, 1.5);
      this.ring(ctx, this.picked, 3);
    }
    for (let k = 0; k < data.stars.length / 2; k++) {
      star(ctx, ...view.toScreen(data.stars[2 * k], data.stars[2 * k + 1]), 11, view.theme);
    }
  },

  ring(ctx, i, width) {
    const { view } = this;
    const [px, py] = view.toScreen(view.now[2 * i], view.now[2 * i + 1]);
    ctx.strokeStyle = view.theme.text;
    ctx.lineWidth = width;
    if (view.thumb) {
      const side = view.thumb + 4;
      ctx.strokeRect(px - side / 2, py - side / 2, side, side);
      return;
    }
    ctx.beginPath();
    ctx.arc(px, py, 7, 0, 7);
    ctx.stroke();
  },

  dressLegend() {
    const { legend } = this.parts;
    const { classes, labels } = this.data;
    const present = [...new Set(labels)].sort((a, b) => a - b);
    const wanted = present.map((c) => classes[c]).join("|");
    if (legend.dataset.of !== wanted) {
      legend.dataset.of = wanted;
      legend.replaceChildren(...present.map((c) => this.chip(c, present)));
    }
    this.markLegend();
  },

  chip(label, present) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "chip";
    chip.dataset.label = label;
    chip.title = "Click: hide or show this class. Double click: show only this one, or all.";
    chip.innerHTML = "<i></i>";
    chip.append(this.data.classes[label]);
    chip.onclick = () => {
      const { hidden } = this.view;
      if (!hidden.delete(label)) hidden.add(label);
      this.filtered();
    };
    chip.ondblclick = () => {
      const alone = present.every((c) => c === label || this.view.hidden.has(c));
      this.view.hidden = new Set(alone ? [] : present.filter((c) => c !== label));
      this.filtered();
    };
    return chip;
  },

  filtered() {
    this.markLegend();
    this.send("hidden", [...this.view.hidden]);
    this.view.later();
  },

  markLegend() {
    for (const chip of this.parts.legend.children) {
      const label = Number(chip.dataset.label);
      const { colours } = this.view.theme;
      chip.firstChild.style.background = colours[label % colours.length];
      chip.setAttribute("aria-pressed", !this.view.hidden.has(label));
    }
  },

  save() {
    const { base } = this.parts;
    const { view } = this;
    const sheet = document.createElement("canvas");
    const strip = 34 * view.dpr;
    [sheet.width, sheet.height] = [base.width, base.height + strip];
    const ctx = sheet.getContext("2d");
    ctx.fillStyle = view.theme.background;
    ctx.fillRect(0, 0, sheet.width, sheet.height);
    ctx.drawImage(base, 0, strip);
    ctx.setTransform(view.dpr, 0, 0, view.dpr, 0, strip);
    this.paintMarks(ctx);
    ctx.setTransform(view.dpr, 0, 0, view.dpr, 0, 0);
    ctx.font = "14px sans-serif";
    let x = 12;
    for (const chip of this.parts.legend.children) {
      ctx.fillStyle = chip.firstChild.style.background;
      ctx.fillRect(x, 11, 12, 12);
      ctx.fillStyle = view.theme.text;
      ctx.fillText(chip.textContent, x + 17, 22);
      x += 34 + ctx.measureText(chip.textContent).width;
    }
    ctx.fillText(this.data.title, x + 10, 22);
    const link = document.createElement("a");
    link.download = this.data.file + ".png";
    link.href = sheet.toDataURL("image/png");
    link.click();
  },
});

function star(ctx, x, y, r, theme) {
  ctx.beginPath();
  for (let k = 0; k < 10; k++) {
    const angle = (k * Math.PI) / 5, length = k % 2 ? r * 0.45 : r;
    ctx.lineTo(x + length * Math.sin(angle), y - length * Math.cos(angle));
  }
  ctx.closePath();
  ctx.fillStyle = "#ffd42a"; // no class has this yellow, in either theme
  ctx.strokeStyle = "#000";
  ctx.lineWidth = 1.5;
  ctx.fill();
  ctx.stroke();
}

// Colours of the page's theme, light or dark, as the browser has them now.
function theme(root) {
  const style = getComputedStyle(root);
  const get = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const list = get("--st-chart-categorical-colors", "#1f5fd0,#e06c00,#118a3e,#c9202f,#7a3fc4");
  return {
    colours: list.split(/,(?![^(]*\))/).map((c) => c.trim()),
    background: get("--st-background-color", "#ffffff"),
    text: get("--st-text-color", "#000000"),
    line: get("--st-border-color", "#cccccc"),
    accent: get("--st-primary-color", "#0b6b74"),
  };
}

export default function (component) {
  const parent = component.parentElement;
  if (!maps.has(parent)) maps.set(parent, new LatentMap(parent));
  const map = maps.get(parent);
  map.update(component);
  return () => {
    map.resizing.disconnect();
    cancelAnimationFrame(map.view.animation);
    map.root.remove();
    maps.delete(parent);
  };
}
