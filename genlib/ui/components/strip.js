// A filmstrip: one button with a picture per kept frame. A click asks the server to go back there.
const strips = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".strip");
  const strip = strips.get(parentElement) ?? { clicks: 0 };
  strips.set(parentElement, strip);
  strip.go = (index) => setTriggerValue("go", { index, n: ++strip.clicks });
  const { atlas, meta } = unwrap(data);
  draw(root, strip, atlas, meta);
  return () => strips.delete(parentElement);
}

async function draw(root, strip, bytes, meta) {
  const atlas = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  while (root.children.length > meta.frames.length) root.lastChild.remove();
  while (root.children.length < meta.frames.length) {
    const button = root.appendChild(document.createElement("button"));
    button.append(document.createElement("canvas"), document.createElement("span"));
  }
  meta.frames.forEach(({ index, step }, i) => {
    const button = root.children[i], [canvas, label] = button.children;
    canvas.width = meta.width;
    canvas.height = meta.height;
    canvas.getContext("2d").drawImage(atlas, 0, -i * meta.height);
    label.textContent = step.toLocaleString("en");
    button.setAttribute("aria-label", `Go back to step ${step}`);
    button.classList.toggle("now", index === meta.position);
    button.onclick = () => strip.go(index);
  });
  const now = root.querySelector(".now");
  if (now && meta.follow) root.scrollLeft = now.offsetLeft;
}
