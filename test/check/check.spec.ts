// Plants one fault after the other in a small project and asserts that `scripts/check.mjs` names file, line, reason.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'

const repository = path.resolve('.')
const debt = ['TO', 'DO'].join('')

const facts = {
  sections: [{ title: 'Lookup', complete: true, ids: ['L01', 'L02', 'L03'] }],
  elsewhere: {},
  excused: { L02: 'cannot be seen' },
}
const checksPage = `# What was measured of the kernel, and where it is checked

<!-- Written by \`node scripts/check.mjs --write\` from the tables of checks: change those, not this file. -->

Each fact was measured with Linux 6.18. Each check runs on the emulator in memory, on the emulator over host
directories, and on a real mount, unless the table says why one of them cannot show it; \`npx mocha\` names them
by these ids.

## Lookup

| id | fact | check |
|---|---|---|
| L01 | it wins | \`a.spec.ts\` |
| L03 | it fails: ENOENT | \`a.spec.ts\` |

Without a check:

- L02: cannot be seen
`

/** A project that passes every check; each test changes one file of it. */
const sound: Readonly<Record<string, string>> = {
  'package.json': '{"scripts":{"test":"true"}}',
  'package-lock.json':
    '{"packages":{"node_modules/a":{"optionalDependencies":{"a-linux":"1"}},"node_modules/a-linux":{}}}',
  'scripts/rooms.json': JSON.stringify({
    groups: [
      [{ name: 'errors', pure: true, holds: 'errors' }],
      [
        { name: 'oci', pure: true, holds: 'documents' },
        { name: 'tar', pure: true, holds: 'archives' },
      ],
      [{ name: 'overlay', pure: true, planned: true, holds: 'emulator' }],
      [{ name: 'host', holds: 'Linux' }],
      [{ name: 'cli', holds: 'commands' }],
    ],
  }),
  'scripts/vocabulary.json': fs.readFileSync('scripts/vocabulary.json', 'utf8'),
  'src/index.ts': "export { fail } from './errors/index.ts'\n",
  'src/errors/index.ts': "export { fail } from './codes.ts'\n",
  'src/errors/codes.ts':
    "/** The codes. */\nexport const errorCodes = {\n  BAD: { exit: 4, title: 'bad' },\n} as const\n/** Fails. */\nexport function fail(): void {}\n",
  'src/oci/index.ts': "import { fail } from '../errors/index.ts'\n/** Reads. */\nexport const read = () => fail()\n",
  'src/tar/index.ts': "/** Raises BAD. */\nexport const code = 'BAD'\n",
  'src/host/index.ts':
    "import fs from 'node:fs'\n/** Its own file. */\nexport const size = (): number => fs.statSync('/').size\n",
  'src/cli/index.ts': "import '../host/index.ts'\n/** Runs. */\nexport const run = Buffer.alloc\n",
  'bin/ovl.js': "const { main } = require('../dist/program/main.js')\nvoid main([])\n",
  'test/tar.spec.ts': "check('BAD')\n",
  'test/overlay/checks/facts.json': JSON.stringify(facts),
  'test/overlay/checks/a.spec.ts': "rows(['L01', 'it wins', run])\nrow('L03', 'it fails', 'ENOENT', run)\n",
  'docs/overlayfs/checks.md': checksPage,
  'docs/errors.md': '# Errors\n\n`BAD`: bad\n',
  'README.md':
    '# ovl\n\n`npm run test`, `src/tar/index.ts`, [errors](docs/errors.md#errors)\n\n<!-- rooms -->\n| room | | holds |\n|---|---|---|\n| `errors` | pure | errors |\n| `oci` | pure | documents |\n| `tar` | pure | archives |\n| `overlay` | planned | emulator |\n| `host` |  | Linux |\n| `cli` |  | commands |\n<!-- /rooms -->\n',
}

type Fault = { readonly name: string; readonly file: string; readonly text: string; readonly says: string }

const faults: readonly Fault[] = [
  {
    name: 'an arrow to a later room',
    file: 'src/errors/up.ts',
    text: "import { code } from '../tar/index.ts'\n\n/** Up. */\nexport const up = code\n",
    says: 'src/errors/up.ts:1: errors must not import tar (rooms)',
  },
  {
    name: 'an arrow between rooms of one group',
    file: 'src/tar/side.ts',
    text: "\nimport { read } from '../oci/index.ts'\n\n/** Side. */\nexport const side = read\n",
    says: 'src/tar/side.ts:2: tar must not import oci (rooms)',
  },
  {
    name: 'an import that reaches inside a room',
    file: 'src/host/deep.ts',
    text: "import { fail } from '../errors/codes.ts'\n\n/** Deep. */\nexport const deep = fail\n",
    says: 'src/host/deep.ts:1: ../errors/codes.ts reaches inside errors; import its index.ts (rooms)',
  },
  {
    name: 'a worker that reaches inside a room',
    file: 'src/cli/worker.ts',
    text: "/** Where. */\nexport const where = new URL('../host/deep.js', import.meta.url)\n",
    says: 'src/cli/worker.ts:2: ../host/deep.ts reaches inside host; import its index.ts (rooms)',
  },
  {
    name: 'a type import against the arrows',
    file: 'src/host/types.ts',
    text: "import type { run } from '../cli/index.ts'\n\n/** Type. */\nexport type Run = typeof run\n",
    says: 'src/host/types.ts:1: host must not import cli (rooms)',
  },
  {
    name: 'the command line in the public API',
    file: 'src/index.ts',
    text: "export { run } from './cli/index.ts'\n",
    says: 'src/index.ts:1: the public index must not import cli (rooms)',
  },
  {
    name: 'Node in a pure room',
    file: 'src/tar/node.ts',
    text: "/* import 'node:os' is no import */ import path from 'node:path'\n\n/** P. */\nexport const p = path.sep\n",
    says: 'src/tar/node.ts:1: pure room tar imports node:path (rooms)',
  },
  {
    name: 'a dynamic import of a package in a pure room',
    file: 'src/tar/lazy.ts',
    text: "/** L. */\nexport const lazy = () => import('koffi')\n",
    says: 'src/tar/lazy.ts:2: pure room tar imports koffi (rooms)',
  },
  {
    name: 'Buffer in a pure room',
    file: 'src/tar/buffer.ts',
    text: "/** Not a Buffer: see 'Buffer'. */\nexport const b = (x: unknown): x is Buffer => x === null\n",
    says: 'src/tar/buffer.ts:2: pure room tar uses Buffer, which a browser has not (rooms)',
  },
  {
    name: 'a folder that is no room',
    file: 'src/stuff/index.ts',
    text: '/** S. */\nexport const s = 1\n',
    says: 'src/stuff:1: "stuff" is no room of scripts/rooms.json (rooms)',
  },
  {
    name: 'a planned room that exists',
    file: 'src/overlay/index.ts',
    text: '/** O. */\nexport const o = 1\n',
    says: 'scripts/rooms.json:1: room "overlay" exists but is marked planned (rooms)',
  },
  {
    name: 'a program that skips the command line',
    file: 'bin/ovl.js',
    text: "import '../dist/host/index.js'\n",
    says: 'bin/ovl.js:1: bin imports ../dist/host/index.ts, not the room cli (rooms)',
  },
  {
    name: 'a banned word in an identifier',
    file: 'src/tar/words.ts',
    text: "/** 'util' in a string and in a comment is fine: util. */\nexport const s = 'util'\n/** W. */\nexport const pathUtils = /[/'\"]util/\n",
    says: 'src/tar/words.ts:4: "pathUtils" says "utils": name what it does (vocabulary)',
  },
  {
    name: 'a banned word inside a template',
    file: 'src/tar/template.ts',
    text: '/** T. */\nexport const t = (of: object) => `manager ${{ a: of }.layerManager} manager`\n',
    says: 'src/tar/template.ts:2: "layerManager" says "manager": name what it does (vocabulary)',
  },
  {
    name: 'another spelling of a word of the field',
    file: 'src/oci/words.ts',
    text: '/** D. */\nexport const diffId = 1\n',
    says: 'src/oci/words.ts:2: "diffId": write diffID (vocabulary)',
  },
  {
    name: 'a banned word in a file name',
    file: 'src/tar/tar-utils.ts',
    text: '/** U. */\nexport const u = 1\n',
    says: 'src/tar/tar-utils.ts:1: file name says "utils": name what it does (vocabulary)',
  },
  {
    name: 'a debt in a comment',
    file: 'src/tar/debt.ts',
    text: `/** D. */\nexport const d = 1 // ${debt}: later\n`,
    says: `src/tar/debt.ts:2: "${debt}" in committed text: an issue, or finish it (vocabulary)`,
  },
  {
    name: 'a long file',
    file: 'src/tar/long.ts',
    text: '// Long.\n'.repeat(401),
    says: 'src/tar/long.ts:401: 401 lines; the limit is 400 (sizes)',
  },
  {
    name: 'an exported function without a doc comment',
    file: 'src/tar/mute.ts',
    text: '// Not a doc comment.\nexport async function mute(): Promise<void> {}\n',
    says: 'src/tar/mute.ts:2: exported mute has no doc comment (doc-comments)',
  },
  {
    name: 'an exported type without a doc comment',
    file: 'src/tar/type.ts',
    text: '/** One. */\nexport type One = 1\n\nexport type Two = 2\n',
    says: 'src/tar/type.ts:4: exported Two has no doc comment (doc-comments)',
  },
  {
    name: 'a code that is thrown nowhere',
    file: 'src/tar/index.ts',
    text: "// 'BAD' in a comment is no use\n",
    says: 'src/errors/codes.ts:3: BAD is thrown nowhere in src/ (codes)',
  },
  {
    name: 'a code that no test provokes',
    file: 'test/tar.spec.ts',
    text: '',
    says: 'src/errors/codes.ts:3: BAD is provoked by no test (codes)',
  },
  {
    name: 'a code without a line in the documents',
    file: 'docs/errors.md',
    text: '# Errors\n',
    says: 'src/errors/codes.ts:3: BAD is not in docs/errors.md (codes)',
  },
  {
    name: 'a dead link',
    file: 'docs/a.md',
    text: '# A\n\n[b](b.md)\n',
    says: 'docs/a.md:3: link to b.md: no such file (documents)',
  },
  {
    name: 'a link to a heading that is gone',
    file: 'docs/a.md',
    text: '[b](errors.md#gone)\n',
    says: 'docs/a.md:1: link to errors.md#gone: no such heading (documents)',
  },
  {
    name: 'a path that does not exist',
    file: 'docs/a.md',
    text: 'See `src/tar/gone.ts`.\n',
    says: 'docs/a.md:1: src/tar/gone.ts does not exist (documents)',
  },
  {
    name: 'a script that does not exist',
    file: 'docs/a.md',
    text: 'Run `npm run gone`.\n',
    says: 'docs/a.md:1: package.json has no script "gone" (documents)',
  },
  {
    name: 'an old table of rooms',
    file: 'README.md',
    text: '<!-- rooms -->\n| `errors` |\n<!-- /rooms -->\n',
    says: 'README.md:1: the table of rooms is old; run: node scripts/check.mjs --write (documents)',
  },
  {
    name: 'a measured fact without a check',
    file: 'test/overlay/checks/facts.json',
    text: JSON.stringify({ ...facts, excused: {} }),
    says: 'test/overlay/checks/facts.json:1: no check has the id L02, and nothing excuses it (overlay-checks)',
  },
  {
    name: 'an excuse for what is checked',
    file: 'test/overlay/checks/b.spec.ts',
    text: "rows(['L02', 'it shows', run])\n",
    says: 'test/overlay/checks/facts.json:1: L02 is excused, and test/overlay/checks/b.spec.ts checks it (overlay-checks)',
  },
  {
    name: 'a fact that is checked twice',
    file: 'test/overlay/checks/b.spec.ts',
    text: "\nrows(['L01', 'it wins', run])\n",
    says: 'test/overlay/checks/b.spec.ts:2: L01 is checked twice (overlay-checks)',
  },
  {
    name: 'a page of checks that is not up to date',
    file: 'docs/overlayfs/checks.md',
    text: checksPage.replace('it wins', 'it won'),
    says: 'docs/overlayfs/checks.md:1: is not up to date: node scripts/check.mjs --write (overlay-checks)',
  },
  {
    name: 'a lockfile without the builds of another platform',
    file: 'package-lock.json',
    text: '{"packages":{\n"node_modules/a":{"optionalDependencies":{"a-darwin":"1"}}}}',
    says: 'package-lock.json:2: a-darwin, optional for node_modules/a, is missing (lockfile)',
  },
  {
    name: 'a download address in the lockfile',
    file: 'package-lock.json',
    text: '{"packages":{\n"node_modules/a":{\n"resolved":"somewhere"}}}',
    says: 'package-lock.json:3: a download address; see omit-lockfile-registry-resolved in .npmrc (lockfile)',
  },
]

describe('scripts/check.mjs', () => {
  let root = ''
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-check-'))
    for (const [file, text] of Object.entries(sound)) write(root, file, text)
  })
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

  it('passes a sound project', () => {
    const { lines, status } = check(root)
    expect(lines.filter(line => !line.endsWith(': ok'))).to.deep.equal([])
    expect(status).to.equal(0)
  })

  for (const { name, file, text, says } of faults) {
    it(`catches ${name}, and nothing else`, () => {
      write(root, file, text)
      const { lines, status } = check(root)
      expect(lines.filter(line => !line.endsWith(': ok'))).to.deep.equal([says])
      expect(status).to.equal(1)
    })
  }

  it('accepts a long file that states its reason', () => {
    write(root, 'src/tar/table.ts', `// Table. size: one row a code point\n${'// x\n'.repeat(500)}`)
    expect(check(root).status).to.equal(0)
  })

  it('--write brings the table of rooms up to date', () => {
    write(root, 'README.md', '<!-- rooms -->\nold\n<!-- /rooms -->\n')
    expect(check(root, '--write').status).to.equal(0)
    expect(fs.readFileSync(path.join(root, 'README.md'), 'utf8')).to.contain('| `overlay` | planned | emulator |')
  })
})

function check(root: string, ...flags: readonly string[]): { lines: readonly string[]; status: number | null } {
  const script = path.join(repository, 'scripts', 'check.mjs')
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...flags, root], { encoding: 'utf8' })
  expect(stderr).to.equal('')
  return { lines: stdout.trim().split('\n'), status }
}

function write(root: string, file: string, text: string): void {
  fs.mkdirSync(path.join(root, path.dirname(file)), { recursive: true })
  fs.writeFileSync(path.join(root, file), text)
}
