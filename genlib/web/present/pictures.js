// What counts as a picture on a page.
const PICTURE = "canvas, img, svg, table", LEAST = 32 // px of each side; icons are smaller

/** The pictures below `root` and where they are, in shadow roots too.
 * @param {ParentNode} root @returns {Generator<[Element, DOMRect]>} */
export function* pictures(root) {
  for (const element of root?.querySelectorAll("*") ?? []) {
    if (element.matches(PICTURE)) {
      const box = element.getBoundingClientRect()
      if (Math.min(box.width, box.height) >= LEAST) yield [element, box]
    }
    if (element.shadowRoot) yield* pictures(element.shadowRoot)
  }
}
