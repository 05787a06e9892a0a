// From an option string to layers and settings, as fs/overlayfs/params.c reads it option by option. Which settings
// then hold, and which contradict each other, is settings.ts.
import { quote } from '../errors/index.ts'
import {
  genericFlags,
  type GenericFlag,
  isFstabWord,
  isGenericFlag,
  isSecurityOption,
  isSettingName,
  optionNames,
  type OverlaySettings,
  settingFlags,
  settingValues,
} from './option-table.ts'
import { type LowerdirFault, type RawOption, splitLowerdir, splitOptions, unescapeLayer } from './option-syntax.ts'
import { refusal, type Refusal } from './refusal.ts'

/** What part a directory has in an overlay. */
export type LayerRole = 'lowerdir' | 'datadir' | 'upperdir' | 'workdir'

/** A directory of an overlay. */
export type LayerOption = { readonly role: LayerRole; readonly path: string }

/** What an option string says. Paths are byte-exact and unescaped. */
export type OverlayOptions = {
  /** Top-most first. */
  readonly lower: readonly string[]
  /** Data-only layers, beneath `lower`. */
  readonly data: readonly string[]
  readonly upper: string | null
  readonly work: string | null
  readonly settings: OverlaySettings
  /** In order, without those that a later one turned off. */
  readonly generic: readonly GenericFlag[]
  /** For the security module, as given. */
  readonly security: readonly RawOption[]
  /** Directories that a later option replaced: unused, but the kernel insists that they exist. */
  readonly replaced: readonly LayerOption[]
}

/** Where the overlay is to be mounted, for the sentences of errors. */
export type OptionContext = { readonly target?: string | null }

/** Lower and data-only layers together (OVL_MAX_STACK). */
export const maxLayers = 500

/** No directories, no settings. */
export const noOptions: OverlayOptions = {
  lower: [],
  data: [],
  upper: null,
  work: null,
  settings: {},
  generic: [],
  security: [],
  replaced: [],
}

/**
 * Reads an option string of mount(8) or of the kernel.
 *
 * Errors: OVL_UNKNOWN_OPTION, OVL_BAD_VALUE, OVL_BAD_LOWERDIR, OVL_DATA_LAYER_ORDER, OVL_LOWERDIR_MIXED,
 * OVL_TOO_MANY_LAYERS; each with `data.option` and the kernel's errno in `data.errno`.
 */
export function parseOverlayOptions(text: string, context: OptionContext = {}): OverlayOptions {
  const reader = new OptionReader(context)
  for (const option of splitOptions(text)) reader.read(option)
  return reader.options()
}

/** Reads options one after the other: some depend on what stood before them. */
class OptionReader {
  readonly #context: OptionContext
  readonly #settings: Record<string, string | boolean> = {}
  readonly #security: RawOption[] = []
  #generic: GenericFlag[] = []
  #lower: string[] = []
  #data: string[] = []
  #upper: string | null = null
  #work: string | null = null
  #replaced: LayerOption[] = []
  /** The layers come from lowerdir=, which excludes lowerdir+= and datadir+= after it. */
  #hasLowerdir = false

  constructor(context: OptionContext) {
    this.#context = context
  }

  options(): OverlayOptions {
    return {
      lower: this.#lower,
      data: this.#data,
      upper: this.#upper,
      work: this.#work,
      settings: this.#settings,
      generic: this.#generic,
      security: this.#security,
      replaced: this.#replaced,
    }
  }

  read(option: RawOption): void {
    const { name } = option
    if (isSettingName(name)) this.#readSetting(option, settingValues[name])
    else if ((settingFlags as readonly string[]).includes(name)) this.#readFlag(option)
    else if (isGenericFlag(name)) this.#readGeneric(name)
    else if (isSecurityOption(name)) this.#security.push(option)
    else if (!isFstabWord(name)) this.#readLayer(option)
  }

  #readLayer(option: RawOption): void {
    const { name, value } = option
    if (name === 'lowerdir') this.#readLowerdir(this.#valueOf(option, { mayBeEmpty: true }))
    else if (name === 'lowerdir+' || name === 'datadir+') this.#addLayer(name, this.#valueOf(option))
    else if (name === 'upperdir') {
      if (this.#upper !== null) this.#replaced.push({ role: name, path: this.#upper })
      this.#upper = this.#directory(name, unescapeLayer(this.#valueOf(option)))
    } else if (name === 'workdir') {
      if (this.#work !== null) this.#replaced.push({ role: name, path: this.#work })
      this.#work = this.#directory(name, unescapeLayer(this.#valueOf(option)))
    } else
      throw this.#refuse('OVL_UNKNOWN_OPTION', `unknown option ${quote(name)}`, {
        kernel: `overlay: Unknown parameter '${name}'`,
        data: { option: name, value, known: optionNames },
      })
  }

  #readLowerdir(value: string): void {
    const layers = splitLowerdir(value)
    if (typeof layers === 'string') throw this.#badLowerdir(layers, value)
    this.#replaced.push(
      ...this.#lower.map(path => ({ role: 'lowerdir', path }) as const),
      ...this.#data.map(path => ({ role: 'datadir', path }) as const),
    )
    this.#lower = layers.lower.map(path => this.#directory('lowerdir', path))
    this.#data = layers.data.map(path => this.#directory('lowerdir', path))
    this.#hasLowerdir = value !== ''
    this.#checkCount()
  }

  /** The value is taken as it stands: neither split nor unescaped. */
  #addLayer(name: 'lowerdir+' | 'datadir+', path: string): void {
    if (this.#hasLowerdir) {
      throw this.#refuse('OVL_LOWERDIR_MIXED', `${name} stands behind lowerdir`, {
        kernel: 'lowerdir+ and datadir+ cannot follow lowerdir',
        hint: 'give every layer with lowerdir+=, or all of them in one lowerdir=',
        data: { option: name },
      })
    }
    if (name === 'datadir+') this.#data.push(path)
    else if (this.#data.length > 0) throw this.#layerAfterData(name)
    else this.#lower.push(path)
    this.#checkCount()
  }

  #readSetting(option: RawOption, values: readonly string[]): void {
    const { name, value } = option
    if (value === null || !values.includes(value)) {
      const fact = value === null ? `${name} needs a value` : `${quote(value)} is no value of ${name}`
      throw this.#refuse('OVL_BAD_VALUE', fact, {
        kernel: `overlay: Bad value for '${name}'`,
        facts: [`${name} can be ${values.join(', ')}`],
        data: { option: name, value, values },
      })
    }
    this.#settings[name] = value
  }

  #readFlag({ name, value }: RawOption): void {
    if (value !== null) {
      // The negated form is found only as a word alone.
      const isNegated = name === 'nooverride_creds'
      throw this.#refuse('OVL_BAD_VALUE', `${name} takes no value`, {
        kernel: isNegated ? `overlay: Unknown parameter '${name}'` : `overlay: Unexpected value for '${name}'`,
        data: { option: name, value },
      })
    }
    if (name === 'volatile') this.#settings['fsync'] = 'volatile'
    else if (name.endsWith('override_creds')) this.#settings['override_creds'] = !name.startsWith('no')
    else this.#settings[name] = true
  }

  #readGeneric(name: GenericFlag): void {
    const off: readonly GenericFlag[] = [name, ...genericFlags[name]]
    this.#generic = [...this.#generic.filter(flag => !off.includes(flag)), name]
  }

  #valueOf({ name, value }: RawOption, { mayBeEmpty = false } = {}): string {
    if (value !== null && (value !== '' || mayBeEmpty)) return value
    throw this.#refuse('OVL_BAD_VALUE', `${name} needs a directory`, {
      kernel: `overlay: Bad value for '${name}'`,
      data: { option: name, value },
    })
  }

  /** A lone backslash at the end of a value is a name of nothing. */
  #directory(name: string, path: string): string {
    if (path !== '') return path
    throw this.#refuse('OVL_BAD_VALUE', `${name} names an empty path`, {
      kernel: 'empty lowerdir',
      data: { option: name, value: '\\' },
    })
  }

  #checkCount(): void {
    const count = this.#lower.length + this.#data.length
    if (count > maxLayers) throw tooManyLayers(count, this.#context)
  }

  #badLowerdir(fault: LowerdirFault, value: string): Error {
    if (fault === 'layer after data layer') return this.#layerAfterData('lowerdir')
    const [fact, kernel] = lowerdirFaults[fault]
    return this.#refuse('OVL_BAD_LOWERDIR', fact, {
      kernel,
      hint: 'write a colon that belongs to a name as "\\:"',
      data: { option: 'lowerdir', value },
    })
  }

  #layerAfterData(option: string): Error {
    return this.#refuse('OVL_DATA_LAYER_ORDER', 'a lower layer stands behind a data-only layer', {
      kernel: 'regular lower layers cannot follow data layers',
      hint: 'data-only layers ("::" or datadir+) come last',
      data: { option },
    })
  }

  #refuse(code: Parameters<typeof refusal>[0], fact: string, details: Omit<Refusal, 'errno' | 'target'>): Error {
    return refusal(code, fact, { ...details, ...this.#context, errno: 'EINVAL' })
  }
}

/** The error for more layers than the kernel takes, however they were given. */
export function tooManyLayers(count: number, { target = null }: OptionContext): Error {
  return refusal('OVL_TOO_MANY_LAYERS', `${count} lower layers; the kernel takes ${maxLayers}`, {
    errno: 'EINVAL',
    kernel: `too many lower directories, limit is ${maxLayers}`,
    hint: 'merge some of the layers into one directory',
    target,
    data: { layers: count, limit: maxLayers },
  })
}

const lowerdirFaults = {
  'leading colon': ['lowerdir starts with a colon', 'cannot append lower layer'],
  'trailing colon': ['lowerdir ends with a colon', 'unescaped trailing colons in lowerdir mount option.'],
  'three colons': [
    'lowerdir has more than two colons in a row',
    "only single ':' or double '::' sequences of unescaped colons in lowerdir mount option allowed.",
  ],
} as const
