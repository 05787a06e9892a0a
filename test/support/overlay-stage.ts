// Directories to make overlays of, and the kernel's own verdict on an option string through mount(2).

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { loadSystem, MNT_DETACH } from '../../src/host/index.ts'
import { hasTool, isRoot, skipUnless } from './probe.ts'

/** `before(needsOverlayMounts)`: root, koffi and a kernel with overlayfs. */
export function needsOverlayMounts(this: Mocha.Context): void {
  skipUnless(this, isRoot() && loadSystem() !== null, 'needs root and koffi')
  const stage = new Stage()
  try {
    const verdict = stage.kernelVerdict(stage.options())
    skipUnless(this, verdict === 'ok', `overlays cannot be mounted here (${verdict})`, { optional: true })
  } finally {
    stage.remove()
  }
}

/** A directory with l1 l2 l3 u w m in it, and everything that was mounted there. */
export class Stage {
  readonly directory: string
  #images = 0

  constructor(parent: string = os.tmpdir()) {
    this.directory = fs.realpathSync(fs.mkdtempSync(path.join(parent, 'ovl-stage-')))
    fs.chmodSync(this.directory, 0o755)
    for (const name of ['l1', 'l2', 'l3', 'u', 'w', 'm', 'm2', 'm3']) this.make(name)
  }

  at(...names: readonly string[]): string {
    return path.join(this.directory, ...names)
  }

  make(...names: readonly string[]): string {
    fs.mkdirSync(this.at(...names), { recursive: true })
    return this.at(...names)
  }

  /** Words `$l1` become paths. */
  fill(text: string): string {
    return text.replaceAll('$', `${this.directory}/`)
  }

  options(more = ''): string {
    return this.fill(`lowerdir=$l1,upperdir=$u,workdir=$w${more === '' ? '' : `,${more}`}`)
  }

  /** mount(8) with these words, the last of them a name here. */
  mount(...words: readonly string[]): void {
    execFileSync('mount', [...words.slice(0, -1), this.at(words.at(-1) ?? '')], { stdio: 'pipe' })
  }

  /** Mounts a new file system in an image file; false where it cannot be made here. */
  mountImage(mkfs: readonly string[], name: string): boolean {
    const [tool = '', ...words] = mkfs
    if (!hasTool(tool)) return false
    const image = this.at(`image-${this.#images++}`)
    fs.writeFileSync(image, '')
    fs.truncateSync(image, 64 << 20)
    try {
      execFileSync(tool, [...words, image], { stdio: 'pipe' })
      this.mount('-o', 'loop', image, name)
      return true
    } catch {
      return false // the tool or the kernel lacks a feature
    }
  }

  /** What mount(2) says to this option string: "ok" or the name of an errno. Nothing stays mounted. */
  kernelVerdict(options: string, mountPoint = this.at('m')): string {
    const system = loadSystem()
    if (system === null) throw new Error('Cannot mount: koffi is missing')
    try {
      system.mount('overlay', mountPoint, { source: 'overlay', flags: 0, options })
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'no code'
    }
    system.umount2(mountPoint, MNT_DETACH)
    return 'ok'
  }

  /** The options that mountinfo shows after a mount of this string, or null when the kernel refuses it. */
  shownOptions(options: string): readonly string[] | null {
    const system = loadSystem()
    try {
      system?.mount('overlay', this.at('m'), { source: 'overlay', flags: 0, options })
    } catch {
      return null // refused, for whatever reason
    }
    const line = fs
      .readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find(text => text.split(' ')[4] === this.at('m'))
    system?.umount2(this.at('m'), MNT_DETACH)
    const words = (line?.split(' - ')[1]?.split(' ')[2] ?? '').split(',')
    return words.filter(word => !/^(?:rw|ro|(?:lower|upper|work|data)dir\+?=.*)$/.test(word))
  }

  remove(): void {
    const mountPoints = fs
      .readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map(line =>
        (line.split(' ')[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
          String.fromCharCode(parseInt(octal, 8)),
        ),
      )
      .filter(mountPoint => mountPoint.startsWith(`${this.directory}/`))
    for (const mountPoint of mountPoints.toReversed()) execFileSync('umount', ['--lazy', mountPoint])
    fs.rmSync(this.directory, { recursive: true, force: true })
  }
}
