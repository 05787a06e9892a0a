import type { ArgumentSpec, FlagSpec } from '../spec.ts'

/** The argument that names an image. */
export const imageArgument: ArgumentSpec = {
  name: 'IMAGE',
  text: 'file, directory or "-" for standard input; see: ovl help images',
}

/** The flags of every command that takes IMAGE. */
export const imageFlags: readonly FlagSpec[] = [
  { long: '--ref', value: 'NAME', text: 'tag, name, @DIGEST or @N (the N-th, from 0) inside the input' },
  { long: '--platform', value: 'P', text: 'os/architecture[/variant] of an image for several; default: this machine' },
]
