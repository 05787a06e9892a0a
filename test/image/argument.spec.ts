import { expect } from 'chai'
import fc from 'fast-check'
import { isCode } from '../../src/errors/index.ts'
import { type ImageArgument, parseImageArgument } from '../../src/image/argument.ts'
import { readError } from '../../src/image/read-error.ts'
import { openError, scratch } from './support.ts'
import { writeFiles } from './make-image.ts'

const digest = `sha256:${'a'.repeat(64)}` as const
const existing = new Set(['img.tar', 'a:b.tar', 'a', './x/img', 'oci:good', 'x@y', '/abs/a.tar', 'dir:'])

function parse(argument: string, ref: string | null = null): ImageArgument {
  return parseImageArgument(argument, { ref, exists: path => existing.has(path) })
}

const none = { name: null, position: null, digest: null }

describe('image arguments', () => {
  const table: readonly (readonly [string, ImageArgument])[] = [
    ['img.tar', { transport: null, location: 'img.tar', selector: none }],
    ['img.tar:latest', { transport: null, location: 'img.tar', selector: { ...none, name: 'latest' } }],
    [
      'img.tar:docker.io/a/b:1',
      { transport: null, location: 'img.tar', selector: { ...none, name: 'docker.io/a/b:1' } },
    ],
    [
      'img.tar:localhost:5000/x:1',
      { transport: null, location: 'img.tar', selector: { ...none, name: 'localhost:5000/x:1' } },
    ],
    ['img.tar:@2', { transport: null, location: 'img.tar', selector: { ...none, position: 2 } }],
    [`img.tar@${digest}`, { transport: null, location: 'img.tar', selector: { ...none, digest } }],
    [`img.tar:t@${digest}`, { transport: null, location: 'img.tar', selector: { ...none, name: 't', digest } }],
    [`img.tar:@${digest}`, { transport: null, location: 'img.tar', selector: { ...none, digest } }],
    ['a:b.tar', { transport: null, location: 'a:b.tar', selector: none }],
    ['a:b.tar:c', { transport: null, location: 'a:b.tar', selector: { ...none, name: 'c' } }],
    ['a:b', { transport: null, location: 'a', selector: { ...none, name: 'b' } }],
    ['x@y', { transport: null, location: 'x@y', selector: none }],
    ['x@y:z', { transport: null, location: 'x@y', selector: { ...none, name: 'z' } }],
    ['oci:good', { transport: null, location: 'oci:good', selector: none }],
    ['oci:a', { transport: 'oci', location: 'a', selector: none }],
    ['oci:a:b.tar', { transport: 'oci', location: 'a:b.tar', selector: none }],
    ['oci:./x/img:v1', { transport: 'oci', location: './x/img', selector: { ...none, name: 'v1' } }],
    [
      'docker-archive:img.tar:x:y',
      { transport: 'docker-archive', location: 'img.tar', selector: { ...none, name: 'x:y' } },
    ],
    ['oci-archive:/abs/a.tar', { transport: 'oci-archive', location: '/abs/a.tar', selector: none }],
    ['dir:', { transport: null, location: 'dir:', selector: none }],
    ['nope.tar:latest', { transport: null, location: 'nope.tar', selector: { ...none, name: 'latest' } }],
    ['nope.tar', { transport: null, location: 'nope.tar', selector: none }],
    ['no@pe.tar', { transport: null, location: 'no@pe.tar', selector: none }],
    ['-', { transport: null, location: '-', selector: none }],
    ['-:latest', { transport: null, location: '-', selector: { ...none, name: 'latest' } }],
    ['docker-archive:-', { transport: 'docker-archive', location: '-', selector: none }],
  ]
  for (const [argument, want] of table) {
    it(`splits ${argument.replace(digest, 'DIGEST')}`, () => {
      expect(parse(argument)).to.deep.equal(want)
    })
  }

  it('takes --ref in place of the reference', () => {
    expect(parse('a:b.tar', 'v1').selector).to.deep.equal({ ...none, name: 'v1' })
    expect(parse('img.tar', '@1').selector).to.deep.equal({ ...none, position: 1 })
    expect(parse('img.tar', digest).selector).to.deep.equal({ ...none, digest })
    expect(parse('img.tar', `@${digest}`).selector).to.deep.equal({ ...none, digest })
  })

  const refused: readonly (readonly [string, string | null, string, RegExp])[] = [
    ['', null, 'USAGE', /its path is empty/],
    ['img.tar:', null, 'USAGE', /the reference after the colon is empty/],
    ['oci-archive:', null, 'USAGE', /no path after the transport/],
    ['img.tar:a', 'b', 'USAGE', /it names an image already/],
    ['img.tar:@x', null, 'USAGE', /"x" is neither a number nor a digest/],
    ['img.tar:a@1', null, 'USAGE', /"1" is neither a number nor a digest/],
    ['docker://busybox', null, 'UNSUPPORTED', /not registries or stores/],
    ['containers-storage:x', null, 'UNSUPPORTED', /not registries or stores/],
  ]
  for (const [argument, ref, code, message] of refused) {
    it(`refuses ${JSON.stringify(argument)}${ref === null ? '' : ` with --ref ${ref}`}`, () => {
      expect(() => parse(argument, ref))
        .to.throw(message)
        .with.property('code', code)
    })
  }

  it('answers any text with an argument or an OvlError, and an existing path always wins whole', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), text => {
        expect(parseImageArgument(text, { ref: null, exists: path => path === text })).to.deep.equal({
          transport: null,
          location: text,
          selector: none,
        })
        try {
          parse(text)
        } catch (error) {
          if (!isCode(error, 'USAGE') && !isCode(error, 'UNSUPPORTED')) throw error
        }
      }),
    )
  })
})

describe('paths that cannot be read', () => {
  const { path } = scratch()

  it('are named, with a near name when there is one', async () => {
    writeFiles(
      path('near'),
      new Map([
        ['note.tar', new Uint8Array()],
        ['other', new Uint8Array()],
      ]),
    )
    const error = await openError(path('near', 'nope.tar'))
    expect(error.code).to.equal('INPUT_NOT_FOUND')
    expect(error.message).to.equal(`Cannot read ${path('near', 'nope.tar')}: no such file`)
    expect(error.hint).to.equal(`did you mean ${path('near', 'note.tar')}?`)
    expect(error.exitStatus).to.equal(3)
  })

  it('get no suggestion when nothing is near, or the directory is missing too', async () => {
    expect((await openError(path('near', 'something-else'))).hint).to.equal(undefined)
    expect((await openError(path('missing', 'img.tar'))).hint).to.equal(undefined)
  })

  it('that lead through a file are missing, not broken', async () => {
    expect((await openError(path('near', 'note.tar', 'x'))).code).to.equal('INPUT_NOT_FOUND')
  })

  it('that are closed to the user say so', () => {
    const closed = readError('x.tar', Object.assign(new Error('EACCES'), { code: 'EACCES' }))
    expect(closed).to.include({ code: 'NEEDS_PRIVILEGE', message: 'Cannot read x.tar: permission denied' })
    const broken = readError('x.tar', Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' }))
    expect(broken).to.include({ code: 'READ_FAILED', message: 'Cannot read x.tar: EIO: i/o error, read' })
  })
})
