// Every exported symbol of src/ has a doc comment right before it. Re-exports (`export { … } from`) carry the comment
// of the file they come from.

import { filesBelow, lineAt, readText, withoutComments } from './source.mjs'

const declaration =
  /^export\s+(?:declare\s+|abstract\s+|async\s+)*(?:function\*?|class|type|const|let|interface|enum|namespace)\s+(?!\{)([\w$]+)/gm

/** Problems as `{ file, line, reason }`. */
export function checkDocComments(root) {
  return filesBelow(root, 'src').flatMap(file => {
    const source = readText(root, file)
    const lines = source.split('\n')
    const documented = new Set()
    const problems = []
    for (const match of withoutComments(source).matchAll(declaration)) {
      const line = lineAt(source, match.index)
      if (hasDocComment(lines, line)) documented.add(match[1])
      else if (!documented.has(match[1]))
        problems.push({ file, line, reason: `exported ${match[1]} has no doc comment` })
    }
    return problems
  })
}

/** True when a doc comment ends on the line above; lint directives may stand between. */
function hasDocComment(lines, line) {
  let above = line - 2
  while (/^\s*\/\/ (oxlint|biome)-/.test(lines[above] ?? '')) above--
  if (!lines[above]?.trimEnd().endsWith('*/')) return false
  while (above > 0 && !lines[above].includes('/*')) above--
  return /^\s*\/\*\*/.test(lines[above])
}
