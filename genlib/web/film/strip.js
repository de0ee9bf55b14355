import { resize } from "../shared/picture.js"

/** A filmstrip: one button with a picture per kept frame.
 * @param {HTMLElement} root whose children the buttons are
 * @param {Uint8Array} bytes all pictures, one below another, as a PNG
 * @param {{steps: number[], position: number, width: number, height: number}} drawn
 * @param {boolean} follow whether to scroll to the frame that is shown
 * @param {(step: number) => void} go called for a picture that is clicked */
export const drawStrip = async (root, bytes, drawn, follow, go) => {
  const atlas = await createImageBitmap(new Blob([bytes], { type: "image/png" }))
  while (root.children.length > drawn.steps.length) root.lastChild.remove()
  while (root.children.length < drawn.steps.length) {
    const button = root.appendChild(document.createElement("button"))
    button.append(document.createElement("canvas"), document.createElement("span"))
  }
  drawn.steps.forEach((step, i) => {
    const button = root.children[i], [canvas, label] = button.children
    resize(canvas, drawn.width, drawn.height)
    canvas.getContext("2d").drawImage(atlas, 0, -i * drawn.height)
    label.textContent = step.toLocaleString("en")
    button.setAttribute("aria-label", `Go back to step ${step}`)
    button.classList.toggle("now", step === drawn.position)
    button.onclick = () => go(step)
  })
  const now = root.querySelector(".now")
  if (now && follow) root.scrollLeft = now.offsetLeft
}
