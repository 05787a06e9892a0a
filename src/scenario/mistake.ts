/** What is wrong with a scenario: where, and what is the case there. */
export class ScenarioMistake extends Error {
  override readonly name = 'ScenarioMistake'
  /** `steps[2]`; empty for the document itself, or where the place is known to the caller. */
  readonly place: string
  readonly fact: string

  constructor(place: string, fact: string) {
    super(place === '' ? fact : `${place}: ${fact}`)
    this.place = place
    this.fact = fact
  }
}
