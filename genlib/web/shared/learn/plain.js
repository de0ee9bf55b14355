// The loops in which training spends its time, in JavaScript. Sums are in double precision until they
// are stored. simd.js has the same loops, faster, where the browser can.

/** C = A Bᵀ, four rows by two columns at once, so that each number that is loaded serves several products.
 *
 *   C[i, j] = Σ_k A[a + i·ai + k·ak] · B[b + j·bj + k·bk]     at C[c + i·columns + j]
 *
 * Steps instead of shapes, so that the same loop takes transposed matrices.
 * @param {number} rows @param {number} columns @param {number} depth
 * @param {Float32Array} A @param {number} a @param {number} ai @param {number} ak
 * @param {Float32Array} B @param {number} b @param {number} bj @param {number} bk
 * @param {Float32Array} C @param {number} c */
const product = (rows, columns, depth, A, a, ai, ak, B, b, bj, bk, C, c) => {
  const evenRows = rows - (rows % 4), evenColumns = columns - (columns % 2)
  for (let i = 0; i < evenRows; i += 4) {
    const a0 = a + i * ai
    for (let j = 0; j < evenColumns; j += 2) {
      let p0 = a0, p1 = a0 + ai, p2 = p1 + ai, p3 = p2 + ai, q0 = b + j * bj, q1 = q0 + bj
      let s00 = 0, s01 = 0, s10 = 0, s11 = 0, s20 = 0, s21 = 0, s30 = 0, s31 = 0
      for (let k = 0; k < depth; k++) {
        const y0 = B[q0], y1 = B[q1], x0 = A[p0], x1 = A[p1], x2 = A[p2], x3 = A[p3]
        s00 += x0 * y0; s01 += x0 * y1
        s10 += x1 * y0; s11 += x1 * y1
        s20 += x2 * y0; s21 += x2 * y1
        s30 += x3 * y0; s31 += x3 * y1
        p0 += ak; p1 += ak; p2 += ak; p3 += ak; q0 += bk; q1 += bk
      }
      let at = c + i * columns + j
      C[at] = s00; C[at + 1] = s01
      at += columns; C[at] = s10; C[at + 1] = s11
      at += columns; C[at] = s20; C[at + 1] = s21
      at += columns; C[at] = s30; C[at + 1] = s31
    }
  }
  // What is left: an odd last column, and up to three last rows.
  if (evenColumns < columns) plain(0, evenRows, evenColumns, columns, columns, depth, A, a, ai, ak, B, b, bj, bk, C, c)
  if (evenRows < rows) plain(evenRows, rows, 0, columns, columns, depth, A, a, ai, ak, B, b, bj, bk, C, c)
}

/** The same for rows [i0, i1) and columns [j0, j1), one number at a time. */
const plain = (i0, i1, j0, j1, columns, depth, A, a, ai, ak, B, b, bj, bk, C, c) => {
  for (let i = i0; i < i1; i++) {
    for (let j = j0; j < j1; j++) {
      let sum = 0
      for (let k = 0, p = a + i * ai, q = b + j * bj; k < depth; k++, p += ak, q += bk) sum += A[p] * B[q]
      C[c + i * columns + j] = sum
    }
  }
}

/** What a network computes on: its arrays and the loops over them. */
export class PlainBench {
  /** Arrays to compute on; those of an earlier call are gone. @param {number[]} counts of numbers
   * @returns {Float32Array[]} */
  floats(counts) { return counts.map((count) => new Float32Array(count)) }

  /** As `product`; then a bias is added to each row, if there is one: bias[shift + j] to column j. */
  product(rows, columns, depth, A, a, ai, ak, B, b, bj, bk, C, c, bias = null, shift = 0) {
    product(rows, columns, depth, A, a, ai, ak, B, b, bj, bk, C, c)
    if (!bias) return
    for (let i = 0, at = c; i < rows; i++) for (let j = 0; j < columns; j++) C[at++] += bias[shift + j]
  }

  /** C[c + j] = Σ_i A[i, j] for A (rows, columns). */
  sums(rows, columns, A, C, c) {
    for (let j = 0; j < columns; j++) {
      let sum = 0
      for (let i = 0, at = j; i < rows; i++, at += columns) sum += A[at]
      C[c + j] = sum
    }
  }

  /** out[i] times 1 where y[i] > 0, times `slope` elsewhere. */
  scale(out, y, count, slope) {
    // By a table instead of an `if`: half of the guesses that a processor makes on the signs of
    // activations are wrong, and each costs more than the product.
    const factors = Float64Array.of(slope, 1)
    for (let i = 0; i < count; i++) out[i] *= factors[+(y[i] > 0)]
  }
}
