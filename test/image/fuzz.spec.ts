import { expect } from 'chai'
import fc from 'fast-check'
import { writeFileSync } from 'node:fs'
import { archive, dockerHybrid, type ImageFiles } from '../../fixtures/archives.ts'
import { escapeControls, OvlError } from '../../src/errors/index.ts'
import { verifyImage } from '../../src/image/index.ts'
import { hostPlatform } from '../../src/image/request.ts'
import { editDistance } from '../../src/image/suggest.ts'
import { dockerFiles, entryOf, json, layoutFiles, makeImage, writeFiles } from './make-image.ts'
import { scratch, withImage } from './support.ts'

const { architecture } = hostPlatform()
const image = makeImage({ architecture })
const forms: Readonly<Record<string, ImageFiles>> = {
  'OCI layout': layoutFiles([entryOf(image.manifest, { name: 'v1' })], image.blobs),
  'docker archive': dockerFiles([{ image, tags: ['demo:1'] }]),
  hybrid: dockerHybrid(image.manifest, { config: image.config, layers: image.layers, tag: 'demo:1' }),
}

/** Opens and reads everything; anything but a result or an OvlError passes through. */
async function survive(argument: string): Promise<void> {
  try {
    await withImage(argument, async ({ image: found, warnings }) => {
      for (const { message } of warnings) expect(message).to.equal(escapeControls(message))
      for (const fault of (await verifyImage(found)).layers.flatMap(layer => layer.faults)) checkWords(fault)
    })
  } catch (error) {
    if (!(error instanceof OvlError)) throw error
    checkWords(error)
  }
}

/** A sentence of the house, with nothing in it that moves a cursor. */
function checkWords(error: OvlError): void {
  expect(error.message).to.match(/^Cannot [a-z]/)
  expect(error.code).to.not.equal('BUG')
  for (const text of [error.message, ...error.facts, error.hint ?? '']) expect(text).to.equal(escapeControls(text))
}

describe('hostile images', () => {
  const { path } = scratch()

  for (const [name, files] of Object.entries(forms)) {
    it(`${name}: bytes changed anywhere in the archive`, async () => {
      const whole = Buffer.from(await archive(files))
      const change = fc.record({ at: fc.nat(whole.length - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) })
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { minLength: 1, maxLength: 4 }),
          fc.option(fc.nat(whole.length)),
          async (changes, length) => {
            const copy = Buffer.from(whole)
            for (const { at, bytes } of changes) copy.set(bytes.subarray(0, copy.length - at), at)
            writeFileSync(path('fuzz.tar'), length === null ? copy : copy.subarray(0, length))
            await survive(path('fuzz.tar'))
          },
        ),
        { numRuns: 150 },
      )
    })

    it(`${name}: documents with changed text`, async () => {
      const documents = [...files.keys()].filter(
        file => file.endsWith('.json') || file === 'oci-layout' || file.startsWith('blobs/'),
      )
      const token = fc.constantFrom(
        'null',
        '[]',
        '{}',
        '-1',
        '1e99',
        '"x"',
        '"sha256:x"',
        '"../../etc/passwd"',
        '"\\u0000"',
        '"\\u001b[2J"',
        '["\\u001b[2J"]',
        'true',
        '',
      )
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...documents), fc.nat(), token, async (file, choice, replacement) => {
          const copy = new Map(files)
          const text = Buffer.from(copy.get(file) ?? []).toString('latin1')
          const values = [...text.matchAll(/"(?:[^"\\]|\\.)*"|\d+|\[[^[\]]*\]|\{[^{}]*\}/g)]
          const value = values[choice % Math.max(1, values.length)]
          const at = value?.index ?? 0
          copy.set(
            file,
            Buffer.from(text.slice(0, at) + replacement + text.slice(at + (value?.[0].length ?? 0)), 'latin1'),
          )
          await survive(writeFiles(path(name.replace(' ', '-')), copy))
        }),
        { numRuns: 150 },
      )
    })
  }

  it('names of members reach no terminal as they are', async () => {
    const [layer] = image.layers
    const manifest = [
      { Config: `${image.config.hex}.json`, RepoTags: ['\u001b[2J:x'], Layers: ['\u001b[2J', '\u001b[3J'] },
    ]
    const files: [string, Uint8Array][] = [
      [`${image.config.hex}.json`, image.config.bytes],
      ['\u001b[2J', layer?.blob.bytes ?? new Uint8Array()],
      ['manifest.json', json(manifest)],
    ]
    writeFileSync(path('esc.tar'), await archive(new Map(files)))
    await survive(path('esc.tar'))
    files.push(['\u001b[3J', layer?.blob.bytes ?? new Uint8Array()]) // there, but with the wrong diff ID
    writeFileSync(path('esc.tar'), await archive(new Map(files)))
    await survive(path('esc.tar'))
    await survive(`${path('esc.tar')}:\u001b[4J`)
  })

  it('editDistance() counts slips of the pen', () => {
    const table: readonly (readonly [string, string, number])[] = [
      ['nope.tar', 'note.tar', 1],
      ['img.tar', 'igm.tar', 1],
      ['img.tar', 'img.tar', 0],
      ['img', 'imgs', 1],
      ['ab', 'ba', 1],
      ['abc', 'xyz', 3],
    ]
    for (const [a, b, distance] of table) expect(editDistance(a, b, 9), `${a} ${b}`).to.equal(distance)
  })
})
