/** Whether something can be done here. */
export type Ability = {
  /** Null: it was not tried. */
  readonly ok: boolean | null
  /** The errno or the message of a failure, or why it was not tried. */
  readonly reason: string | null
}

/** It works. */
export const able: Ability = { ok: true, reason: null }

/** It does not work. */
export function unable(reason: string): Ability {
  return { ok: false, reason }
}

/** Nothing was tried. */
export function untried(reason: string): Ability {
  return { ok: null, reason }
}

/** Runs a trial: it works when nothing is thrown and the result is not false. Errors: those without an errno. */
export function tryOut(trial: () => boolean | void, whenFalse = 'without effect'): Ability {
  try {
    return trial() === false ? unable(whenFalse) : able
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (typeof code !== 'string') throw error
    return unable(code)
  }
}
