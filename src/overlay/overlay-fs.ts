// An overlay as a file system for programs.
import { type Credentials, Vfs } from '../fs/index.ts'
import type { OverlayEvent } from './events.ts'
import { mountOverlay, rememberDepth, shownOptions, unmountOverlay } from './mount.ts'
import type { LayerSource } from './mount/places.ts'
import { noOptions, parseOverlayOptions } from './options.ts'
import type { OverlaySettings } from './option-table.ts'
import type { ModuleDefaults, OverlayNote } from './settings.ts'
import { OverlaySuperBlock } from './super-block.ts'

/** An overlay: its directories, each a place in a file system, and how it is to behave. */
export type OverlayFsOptions = {
  /** Top-most first. */
  readonly lower: readonly LayerSource[]
  /** Data-only layers, beneath `lower`. */
  readonly data?: readonly LayerSource[]
  /** Without one the overlay is read-only. */
  readonly upper?: LayerSource | null
  /** A directory of the same file system as `upper`. */
  readonly work?: LayerSource | null
  /** Settings by the kernel's names, or as an option string: "redirect_dir=on,metacopy=on". */
  readonly options?: OverlaySettings | string
  readonly moduleDefaults?: ModuleDefaults
  /**
   * Whose rights changes of layers need. Default: root; of a rootless container `rootOfNamespace`. For a user without
   * capabilities Linux mounts nothing (EPERM): an overlay is made all the same, and the user refused what the layers say.
   */
  readonly mounter?: Credentials
  /** Who uses the overlay. Default: root. */
  readonly caller?: Credentials
  /** Told of every decision. */
  readonly trace?: ((event: OverlayEvent) => void) | null
}

/**
 * An overlay, in userspace: every operation has the result, the errno and the upper layer that Linux 6.18 gives.
 *
 * Errors: the OVL_… codes of a mount that Linux refuses, with its errno in `data.errno`; operations answer with
 * FsErrors.
 */
export class OverlayFs extends Vfs {
  declare readonly superBlock: OverlaySuperBlock

  constructor({ options = {}, moduleDefaults, caller, ...request }: OverlayFsOptions) {
    const parsed = typeof options === 'string' ? parseOverlayOptions(options) : { ...noOptions, settings: options }
    const mount = mountOverlay({
      ...request,
      settings: parsed.settings,
      readOnly: parsed.generic.includes('ro'),
      ...(moduleDefaults === undefined ? {} : { defaults: moduleDefaults }),
    })
    const superBlock = new OverlaySuperBlock(mount)
    rememberDepth(superBlock, mount)
    super(superBlock, caller)
  }

  /** What was ignored or fell back at mount. */
  get notes(): readonly OverlayNote[] {
    return this.superBlock.mount.notes
  }

  /** The options as /proc/self/mountinfo would show them, without directories. */
  get shownOptions(): readonly string[] {
    return shownOptions(this.superBlock.mount)
  }

  /** Gives the directories free for other overlays. Open files stay usable. */
  unmount(): void {
    unmountOverlay(this.superBlock.mount)
  }
}
