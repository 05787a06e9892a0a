import { expect } from 'chai'
import {
  countText,
  digestText,
  durationText,
  modeText,
  octalMode,
  shortDigest,
  sizeText,
  timeText,
} from '../../src/cli/wording.ts'

describe('wording of text output', () => {
  const table: [string, string, string][] = [
    ['no bytes', sizeText(0), '0 B'],
    ['a few bytes', sizeText(1023), '1023 B'],
    ['a kibibyte', sizeText(1024), '1.0 KiB'],
    ['kibibytes', sizeText(46080), '45.0 KiB'],
    ['what would round to 1024.0 KiB', sizeText(1048575), '1.0 MiB'],
    ['a gibibyte and a half', sizeText(1.5 * 2 ** 30), '1.5 GiB'],
    ['the largest unit', sizeText(2 ** 63), '8192.0 PiB'],
    ['a short time', durationText(214), '0.21 s'],
    ['seconds', durationText(12_340), '12.3 s'],
    ['minutes', durationText(125_400), '2 min 05 s'],
    ['one', countText(1, 'entry', 'entries'), '1 entry'],
    ['many', countText(4, 'whiteout'), '4 whiteouts'],
    ['a short digest', shortDigest('sha256:0123456789abcdef', false), '0123456789ab'],
    ['a digest with its algorithm', digestText('sha512:0123456789abcdef', false), 'sha512:0123456789ab'],
    ['a digest in full', digestText('sha256:0123456789abcdef', true), 'sha256:0123456789abcdef'],
    ['a time', timeText(1_000_000_000, 5), '2001-09-09T01:46:40.000000005Z'],
    ['a time before 1970', timeText(-1, 999_999_999), '1969-12-31T23:59:59.999999999Z'],
    ['a time beyond every calendar', timeText(2 ** 52, 0), '@4503599627370496.000000000'],
    ['a plain mode', modeText('-', 0o644), '-rw-r--r--'],
    ['setuid with execute', modeText('-', 0o4755), '-rwsr-xr-x'],
    ['setgid without execute', modeText('d', 0o2644), 'drw-r-Sr--'],
    ['sticky', modeText('d', 0o1777), 'drwxrwxrwt'],
    ['a mode for JSON', octalMode(0o100755), '0755'],
    ['a special mode for JSON', octalMode(0o4711), '4711'],
  ]
  for (const [what, got, want] of table) it(`says ${what} as ${want}`, () => expect(got).to.equal(want))
})
