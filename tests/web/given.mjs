// What the Python reference says, written by tests/test_web.py.
import { readFileSync } from "node:fs"

export const given = JSON.parse(readFileSync(process.env.GENLIB_WEB_TESTS, "utf8"))
