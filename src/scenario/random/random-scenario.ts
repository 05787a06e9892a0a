// A scenario from a seed. Left out is what has no answer to compare: layers that change while they are mounted, and
// what happens inside FIFOs, sockets and devices once they are open.
import type { LowerTree, Scenario } from '../scenario.ts'
import { scenarioSchema } from '../scenario.ts'
import { ExpectedTree } from './expected-tree.ts'
import { Prng } from './prng.ts'
import { inUserNamespace } from './in-user-namespace.ts'
import { randomOptions } from './random-options.ts'
import { randomSteps } from './random-steps.ts'
import { randomPaths, randomTree, type TreeRole } from './random-tree.ts'

/**
 * The scenario of a seed, an integer from 0 to 2^32 - 1: always the same one, but that those in user namespaces are only
 * drawn where there are such.
 */
export function randomScenario(seed: number, { userNamespaces = false } = {}): Scenario {
  const scenario = ordinaryScenario(seed)
  const percent = scenario.options.userxattr === true ? 35 : 5
  return userNamespaces && new Prng(seed ^ 0x5eed).chance(percent) ? inUserNamespace(scenario) : scenario
}

function ordinaryScenario(seed: number): Scenario {
  const prng = new Prng(seed)
  const hasUpper = prng.chance(93)
  const options = randomOptions(prng, { hasUpper })
  const paths = randomPaths(prng)
  const role = (label: string, more: Partial<TreeRole> = {}): TreeRole => ({
    label,
    hasMarks: true,
    isDataOnly: false,
    hasMetacopies: prng.chance(options.metacopy === 'on' ? 90 : 8),
    prefix: options.userxattr === true ? 'user' : 'trusted',
    paths,
    ...more,
  })
  const count = hasUpper ? Number(prng.weighted({ 1: 40, 2: 35, 3: 15, 4: 10 })) : prng.between(2, 4)
  const lower = Array.from({ length: count }, (_, index): LowerTree => {
    // The lowest layer has nothing to hide.
    const hasMarks = index < count - 1 || prng.chance(20)
    return randomTree(prng, role(`lower ${index + 1}`, { hasMarks }))
  })
  const dataCount = prng.chance(options.metacopy === 'on' ? 25 : 4) ? prng.between(1, 2) : 0
  const data = Array.from(
    { length: dataCount },
    (_, index): LowerTree => ({
      dataOnly: randomTree(prng, role(`data ${index + 1}`, { hasMarks: false, isDataOnly: true })),
    }),
  )
  const upper = prng.chance(55) ? {} : randomTree(prng, role('upper'))
  return {
    schema: scenarioSchema,
    title: `random ${seed}`,
    options,
    lower: [...lower, ...data],
    ...(hasUpper && { upper }),
    ...(prng.chance(20) && { umask: prng.pick(['000', '077', '027']) }),
    steps: randomSteps(prng, {
      paths,
      expected: new ExpectedTree({ lower, upper }),
      hasUser: prng.chance(45),
      remounts: prng.chance(50),
    }),
  }
}
