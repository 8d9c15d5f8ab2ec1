declare global {
  interface JSON {
    /** A JSON number or string verbatim; in every Node that runs this, not yet in TypeScript's library. */
    rawJSON(text: string): object;
  }
}

/** As JSON.stringify; a bigint becomes a number with all its digits. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? JSON.rawJSON(String(item)) : item));
}
