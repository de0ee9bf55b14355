import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import { test } from "node:test"

const web = new URL("../../genlib/web/", import.meta.url)

for (const name of readdirSync(web).filter((folder) => folder !== "shared")) {
  test(`${name} finds all that it imports, and is a component`, async () => {
    const view = await import(new URL(`${name}/view.js`, web))
    assert.equal(typeof view.default, "function")
  })
}
