// The tree of a bundle as the image has it: owners that were mapped or only recorded, devices for which an ordinary file
// stands. What a run could not keep is told by an attribute that moves with the file (override-stat.ts), and where there
// is none by the notes in ovl.json, which only know paths. Trees of other programs tell the same by attributes alone.

import {
  type BundleState,
  type FileNote,
  type OverrideStat,
  overrideStatName,
  overrideStatNames,
  type OwnerNote,
  parseOverrideStat,
  type StandsFor,
  toContainerID,
} from '../../bundle/index.ts'
import { makeDevice } from '../../fs/index.ts'
import type { NamedObject, TreeView, ViewObject } from '../../layer/index.ts'
import { joinPath, type LayerPath } from '../../path/index.ts'

/** A tree in which names can be found by path. */
type Xattrs = NonNullable<ReturnType<TreeView['xattrs']>>

/** A view of a tree of this bundle with what ovl.json knows about it; the view itself where it knows nothing. */
export function recordedView(view: TreeView, { notKept, userNamespace }: BundleState): TreeView {
  if (userNamespace === null && notKept.owners.length === 0 && notKept.files.length === 0) return view
  return new RecordedView(view, {
    owners: new Map(notKept.owners.map(note => [note.path, note])),
    files: new Map(notKept.files.map(note => [note.path, note])),
    uidMappings: userNamespace?.uidMappings ?? [],
    gidMappings: userNamespace?.gidMappings ?? [],
    hasXattrs: carriesXattrs(view, notKept.owners),
    attribute: overrideStatName,
    hasModes: false, // the run gave files their modes
  })
}

/** A tree, and the attribute that tells of its files what they are. */
export type OverriddenView = { readonly view: TreeView; readonly attribute: (typeof overrideStatNames)[number] | null }

/**
 * A tree that containers/storage (`force_mask`) or fuse-overlayfs (`xattr_permissions`) has written: its root carries the
 * attribute, and then owner, mode and type of all files are what theirs says. Where the root has none they mean nothing:
 * anybody in a container can give one to a file.
 */
export function overriddenView(view: TreeView): OverriddenView {
  const ofRoot = view.xattrs(view.root)
  const attribute = overrideStatNames.find(name => ofRoot?.has(name) === true) ?? null
  if (attribute === null) return { view, attribute }
  const nothing = { owners: new Map(), files: new Map(), uidMappings: [], gidMappings: [] }
  return { view: new RecordedView(view, { ...nothing, hasXattrs: true, attribute, hasModes: true }), attribute }
}

type Mappings = NonNullable<BundleState['userNamespace']>['uidMappings']

type Records = {
  readonly owners: ReadonlyMap<LayerPath, OwnerNote>
  readonly files: ReadonlyMap<LayerPath, FileNote>
  readonly uidMappings: Mappings
  readonly gidMappings: Mappings
  /** Files and directories carry what is recorded of them: a file without is a new one. */
  readonly hasXattrs: boolean
  readonly attribute: (typeof overrideStatNames)[number]
  /** The attribute tells the mode as well. */
  readonly hasModes: boolean
}

class RecordedView implements TreeView {
  readonly root: ViewObject
  readonly #view: TreeView
  readonly #records: Records

  constructor(view: TreeView, records: Records) {
    this.#view = view
    this.#records = records
    this.root = this.#wrap(view.root, '')
  }

  list(directory: ViewObject): readonly NamedObject[] {
    const { inner, path } = recorded(directory)
    return this.#view
      .list(inner)
      .map(({ name, object }) => ({ name, object: this.#wrap(object, joinPath(path, name)) }))
  }

  find(directory: ViewObject, name: string): ViewObject | null {
    const { inner, path } = recorded(directory)
    const found = this.#view.find(inner, name)
    return found === null ? null : this.#wrap(found, joinPath(path, name))
  }

  readlink(object: ViewObject): string {
    return this.#view.readlink(recorded(object).inner)
  }

  xattrs(object: ViewObject): Xattrs | null {
    const xattrs = this.#view.xattrs(recorded(object).inner)
    if (xattrs === null || !overrideStatNames.some(name => xattrs.has(name))) return xattrs
    const rest = new Map([...xattrs].filter(([name]) => !overrides.has(name)))
    return rest.size === 0 ? null : rest
  }

  open(object: ViewObject): ReturnType<TreeView['open']> {
    return this.#view.open(recorded(object).inner)
  }

  #wrap(inner: ViewObject, path: LayerPath): RecordedObject {
    const { owners, files, hasXattrs, attribute, hasModes } = this.#records
    const isCarrier = inner.type === 'file' || inner.type === 'dir'
    const canCarry = isCarrier || !attribute.startsWith('user.')
    const carried = canCarry ? overrideOf(this.#view.xattrs(inner), attribute) : null
    const note = isCarrier && hasXattrs ? undefined : owners.get(path)
    const own = mapped(inner, this.#records)
    const { uid, gid } = carried ?? note ?? own
    const stand =
      carried?.standsFor === undefined ? standIn(inner, files.get(path)) : stands(carried, carried.standsFor)
    const mode = stand?.mode ?? (carried !== null && hasModes ? carried.mode : inner.mode)
    return new RecordedObject(inner, {
      path,
      uid: uid < 0 ? own.uid : uid,
      gid: gid < 0 ? own.gid : gid,
      mode,
      was: stand?.was ?? null,
    })
  }
}

type Stand = { readonly was: StandsFor; readonly mode: number }

function stands({ mode }: OverrideStat, was: StandsFor): Stand {
  return { mode, was }
}

const overrides: ReadonlySet<string> = new Set(overrideStatNames)

class RecordedObject implements ViewObject {
  readonly inner: ViewObject
  readonly path: LayerPath
  readonly type: ViewObject['type']
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly rdev: number

  constructor(
    inner: ViewObject,
    what: Pick<RecordedObject, 'path' | 'uid' | 'gid' | 'mode'> & { readonly was: StandsFor | null },
  ) {
    const { path, uid, gid, mode, was } = what
    this.inner = inner
    this.path = path
    this.uid = uid
    this.gid = gid
    this.type = was === null ? inner.type : typeNames[was.type]
    this.mode = mode
    this.rdev = was === null ? inner.rdev : 'major' in was ? makeDevice(was.major, was.minor) : 0
  }

  get mtimeSec(): number {
    return this.inner.mtimeSec
  }

  get mtimeNsec(): number {
    return this.inner.mtimeNsec
  }

  get sizeBytes(): number {
    return this.inner.sizeBytes
  }

  get nlink(): number {
    return this.inner.nlink
  }

  get identity(): string {
    return this.inner.identity
  }
}

const typeNames = { charDevice: 'char', blockDevice: 'block', fifo: 'fifo', socket: 'socket' } as const

function recorded(object: ViewObject): RecordedObject {
  if (object instanceof RecordedObject) return object
  throw new Error('an object of another tree')
}

function overrideOf(xattrs: Xattrs | null, attribute: string): OverrideStat | null {
  const value = xattrs?.get(attribute)
  return value === undefined ? null : parseOverrideStat(new TextDecoder('latin1').decode(value))
}

/** An empty file that nobody may read, where the notes say that something else should be. */
function standIn({ type, sizeBytes, mode }: ViewObject, note: FileNote | undefined): Stand | null {
  return note !== undefined && type === 'file' && sizeBytes === 0 && mode === 0 ? note : null
}

/** The owner inside of the user namespace; an id that is not mapped stays what it is. */
function mapped(
  { uid, gid }: ViewObject,
  { uidMappings, gidMappings }: Pick<Records, 'uidMappings' | 'gidMappings'>,
): { readonly uid: number; readonly gid: number } {
  return { uid: toContainerID(uidMappings, uid) ?? uid, gid: toContainerID(gidMappings, gid) ?? gid }
}

/** Whether the file system keeps the attribute: then some of the files that should have it still do. */
function carriesXattrs(view: TreeView, owners: readonly OwnerNote[]): boolean {
  const carriers = owners.flatMap(({ path }) => {
    const object = objectAt(view, path)
    return object?.type === 'file' || object?.type === 'dir' ? [object] : []
  })
  return carriers.length === 0 || carriers.some(object => view.xattrs(object)?.has(overrideStatName) === true)
}

/** What stands at a path; null for nothing. */
export function objectAt(view: TreeView, path: LayerPath): ViewObject | null {
  let at: ViewObject | null = view.root
  for (const name of path === '' ? [] : path.split('/')) {
    if (at === null || at.type !== 'dir') return null
    at = view.find(at, name)
  }
  return at
}
