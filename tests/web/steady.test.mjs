import assert from "node:assert/strict"
import { test } from "node:test"

import { ruleFor } from "../../genlib/web/present/steady.js"

test("a rule keeps each height, and none where there is nothing to keep", () => {
  const rule = ruleFor({ ".stage": 480.5, ".gone": 0, ".block": 900 })
  assert.match(rule, /\.stage \{ min-height: 480\.5px;/)
  assert.match(rule, /\.block \{ min-height: 900px;/)
  assert.doesNotMatch(rule, /gone/)
  assert.equal(ruleFor({ ".gone": 0 }), "")
})
