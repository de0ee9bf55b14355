// A filmstrip: one button with a picture per kept frame. go(step) is called for one that is clicked.
async function drawStrip(root, bytes, drawn, follow, go) {
  const atlas = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  while (root.children.length > drawn.steps.length) root.lastChild.remove();
  while (root.children.length < drawn.steps.length) {
    const button = root.appendChild(document.createElement("button"));
    button.append(document.createElement("canvas"), document.createElement("span"));
  }
  drawn.steps.forEach((step, i) => {
    const button = root.children[i], [canvas, label] = button.children;
    canvas.width = drawn.width;
    canvas.height = drawn.height;
    canvas.getContext("2d").drawImage(atlas, 0, -i * drawn.height);
    label.textContent = step.toLocaleString("en");
    button.setAttribute("aria-label", `Go back to step ${step}`);
    button.classList.toggle("now", step === drawn.position);
    button.onclick = () => go(step);
  });
  const now = root.querySelector(".now");
  if (now && follow) root.scrollLeft = now.offsetLeft;
}
