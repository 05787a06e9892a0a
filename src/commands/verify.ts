// `ovl verify`: every promise of an image, checked without stopping at the first fault: digests, sizes and diff IDs by
// the image room, and that the layers make a tree by applying them to nothing.

import { isCode, OvlError } from '../errors/index.ts'
import { type BlockTarget, type Image, type Layer, type LayerCheck, verifyImage } from '../image/index.ts'
import { LayerApplier, type TreeSink } from '../layer/index.ts'
import type { Digest } from '../oci/index.ts'
import { TarReader } from '../tar/index.ts'
import type { ImageOptions } from './image-options.ts'
import { withImage } from './with-image.ts'

/** The verdict on one layer. True and false as checked, null where there was nothing to compare with. */
export type LayerVerdict = {
  readonly number: number
  /** As the image says they are. */
  readonly digest: Digest | null
  readonly diffID: Digest | null
  readonly ok: boolean
  readonly digestOk: boolean | null
  readonly diffIDOk: boolean | null
  /** The entries can be applied to the layers below; null when bad bytes made that pointless. */
  readonly treeOk: boolean | null
  /** What was found; null when the blob could not be read to its end. */
  readonly found: { readonly digest: Digest; readonly sizeBytes: number; readonly diffID: Digest | null } | null
  readonly faults: readonly OvlError[]
}

/** What `ovl verify` finds. */
export type Verification = { readonly title: string; readonly ok: boolean; readonly layers: readonly LayerVerdict[] }

/** How to verify, and who is told about each layer. */
export type VerifyOptions = ImageOptions & {
  readonly strict?: boolean
  readonly onVerdict?: (verdict: LayerVerdict) => void
}

/** Checks a whole image. Errors: those of `openImage`; a bad layer is a verdict, not an error. */
export function verify(argument: string, options: VerifyOptions): Promise<Verification> {
  return withImage(argument, { ...options, allowMissingLayers: true }, image => verifyLayers(image, options))
}

async function verifyLayers(image: Image, options: VerifyOptions): Promise<Verification> {
  const tree = new TreeCheck(options)
  const layers: LayerVerdict[] = []
  await verifyImage(image, {
    ...options,
    target: layer => tree.begin(layer),
    onLayer: check => {
      const verdict = joinVerdict(check, tree.end(check))
      layers.push(verdict)
      options.onVerdict?.(verdict)
    },
  })
  return { title: image.title, ok: layers.every(({ ok }) => ok), layers }
}

function joinVerdict(check: LayerCheck, tree: TreeVerdict): LayerVerdict {
  const { layer, stream, digestOk, diffIDOk } = check
  const faults = tree.fault === null ? check.faults : [...check.faults, tree.fault]
  return {
    number: layer.number,
    digest: layer.descriptor?.digest ?? null,
    diffID: layer.diffID,
    ok: faults.length === 0,
    digestOk,
    diffIDOk,
    treeOk: tree.ok,
    found: stream === null ? null : { digest: stream.digest, sizeBytes: stream.sizeBytes, diffID: stream.diffID },
    faults,
  }
}

type TreeVerdict = { readonly ok: boolean | null; readonly fault: OvlError | null }

/** Applies layer after layer to nothing, for as long as their bytes are what they should be. */
class TreeCheck {
  readonly #applier: LayerApplier
  readonly #paxBytes: number
  readonly #onReading: VerifyOptions['onReading']
  #reader: TarReader | null = null
  #fault: OvlError | null = null
  /** A layer was bad: what comes above it cannot be judged. */
  #isPointless = false

  constructor(options: VerifyOptions) {
    this.#applier = new LayerApplier(nowhere, options)
    this.#paxBytes = options.limits.paxBytes
    this.#onReading = options.onReading
  }

  begin(layer: Layer): BlockTarget {
    const region = Buffer.allocUnsafeSlow(1 << 18)
    this.#fault = null
    this.#reader = this.#isPointless
      ? null
      : new TarReader(this.#applier.beginLayer(layer.number), { paxBytes: this.#paxBytes })
    let uncompressedBytes = 0
    return {
      space: () => region,
      commit: length => {
        this.#try(reader => reader.push(region, 0, length))
        uncompressedBytes += length
        this.#onReading?.(layer, uncompressedBytes)
      },
    }
  }

  end({ ok }: LayerCheck): TreeVerdict {
    if (this.#isPointless || !ok) {
      this.#isPointless = true
      return { ok: null, fault: null }
    }
    this.#try(reader => {
      reader.finish()
      this.#applier.endLayer()
    })
    this.#isPointless = this.#fault !== null
    return { ok: this.#fault === null, fault: this.#fault }
  }

  #try(step: (reader: TarReader) => void): void {
    if (this.#reader === null || this.#fault !== null) return
    try {
      step(this.#reader)
    } catch (error) {
      if (!(error instanceof OvlError) || isCode(error, 'INTERRUPTED')) throw error
      this.#fault = error
    }
  }
}

const nowhere: TreeSink = {
  makeDirectory() {},
  describeDirectory() {},
  makeFile() {},
  writeFile() {},
  closeFile() {},
  makeSymlink() {},
  makeHardLink() {},
  makeNode() {},
  remove() {},
  finishDirectory() {},
}
