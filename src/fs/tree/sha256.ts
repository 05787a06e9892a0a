// SHA-256 (FIPS 180-4), synchronous and without a host: listings of trees are made in a browser too, where the built-in
// one is asynchronous.

const blockBytes = 64
const firstPrimes = [2, 3, 5, 7, 11, 13, 17, 19]

/** Feed it with `update`, in any portions; `hex` once at the end. */
export class Sha256 {
  readonly #state = Uint32Array.from(firstPrimes, prime => fraction(Math.sqrt(prime)))
  readonly #words = new Uint32Array(blockBytes)
  readonly #rest = new Uint8Array(blockBytes)
  #restBytes = 0
  #totalBytes = 0

  update(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length
    let at = 0
    if (this.#restBytes > 0) {
      at = Math.min(bytes.length, blockBytes - this.#restBytes)
      this.#rest.set(bytes.subarray(0, at), this.#restBytes)
      this.#restBytes += at
      if (this.#restBytes < blockBytes) return
      this.#compress(this.#rest, 0)
    }
    for (; at + blockBytes <= bytes.length; at += blockBytes) this.#compress(bytes, at)
    this.#rest.set(bytes.subarray(at))
    this.#restBytes = bytes.length - at
  }

  /** 64 hexadecimal digits. */
  hex(): string {
    const bits = this.#totalBytes * 8
    const padding = new Uint8Array(((119 - (this.#totalBytes % blockBytes)) % blockBytes) + 9)
    padding[0] = 0x80
    const view = new DataView(padding.buffer)
    view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32))
    view.setUint32(padding.length - 4, bits >>> 0)
    this.update(padding)
    return Array.from(this.#state, word => word.toString(16).padStart(8, '0')).join('')
  }

  #compress(bytes: Uint8Array, at: number): void {
    const words = this.#words
    for (let t = 0; t < 16; t++) {
      const from = at + t * 4
      words[t] =
        ((bytes[from] as number) << 24) |
        ((bytes[from + 1] as number) << 16) |
        ((bytes[from + 2] as number) << 8) |
        (bytes[from + 3] as number)
    }
    for (let t = 16; t < 64; t++) {
      const early = words[t - 15] as number
      const late = words[t - 2] as number
      const s0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3)
      const s1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10)
      words[t] = ((words[t - 16] as number) + s0 + (words[t - 7] as number) + s1) | 0
    }
    mix(this.#state, words)
  }
}

/** The 64 rounds over one block. */
function mix(state: Uint32Array, words: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let t = 0; t < 64; t++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (roundConstants[t] as number) + (words[t] as number)) | 0
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  const mixed = [a, b, c, d, e, f, g, h]
  for (let index = 0; index < 8; index++) state[index] = (state[index] as number) + (mixed[index] as number)
}

const roundConstants = Uint32Array.from(primes(64), prime => fraction(Math.cbrt(prime)))

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}

/** The first 32 bits behind the point. */
function fraction(value: number): number {
  return ((value - Math.floor(value)) * 2 ** 32) >>> 0
}

function primes(count: number): readonly number[] {
  const found: number[] = []
  for (let candidate = 2; found.length < count; candidate++) {
    if (found.every(prime => candidate % prime !== 0)) found.push(candidate)
  }
  return found
}
