/** What the review team takes on. */
export interface ReviewSettings {
  /** Verdicts that somebody has to look at. */
  readonly alertVerdicts: readonly ('review' | 'challenge')[];
  /** Alerts the team can work off in a day; null: not declared. */
  readonly capacityPerDay: number | null;
}
