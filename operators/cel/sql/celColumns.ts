/** What an expression's names are called in the query around it. */
export interface CelColumns {
  /** Goes before every column of the payment: '' or an alias and a point. */
  readonly payment: string;
  /** The value of a feature, a Float64 that is NaN where undefined. */
  readonly feature: (name: string) => string;
  /** Features whose value is NULL where it is not known: what depends on it is then NULL too, as after a failure. */
  readonly nullableFeatures?: ReadonlySet<string>;
  /** What is known of the payment's label: 'none', 'fraud' or 'genuine'. */
  readonly label: string;
  /** Its last outcome, 'none' without one, and whether it was taken back. */
  readonly outcome: string;
  readonly reversed: string;
  /** The model's score, 0 to 1000, and its probability: Float64, NaN without a model. */
  readonly modelScore: string;
  readonly modelProbability: string;
  /** Whether a text, which is not NULL, is on the list. */
  readonly list: (name: string, text: string) => string;
}
