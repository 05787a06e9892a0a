import type { Style } from '../style.ts'

/** How text output is wanted. */
export type View = { readonly noTrunc: boolean; readonly verbosity: number; readonly style: Style }
