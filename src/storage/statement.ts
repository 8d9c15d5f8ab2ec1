/** What is known of one property of a storage once it was asked or tried. */
export interface Statement {
  /** For programs; stable. */
  readonly about: 'promise' | 'versioning' | 'object-lock' | 'lifecycle' | 'clock' | 'speed' | 'clean-up';
  /** 'unknown': it could be neither asked nor tried, which is no kind of 'ok'. */
  readonly state: 'ok' | 'warning' | 'failed' | 'unknown';
  /** What is so; of what is unknown, what was asked. For people, without a full stop. */
  readonly text: string;
  /** Why, what follows from it, or what to do. */
  readonly detail?: string;
}
