/** For libraries that know no other time; nanoseconds since 1970, of which milliseconds are kept. */
export function dateOfNs(ns: bigint): Date {
  return new Date(Number(ns / 1_000_000n));
}

/** ISO 8601 in UTC, to the second. */
export function secondText(ns: bigint): string {
  return Temporal.Instant.fromEpochNanoseconds(ns).toString({ smallestUnit: 'second' });
}

/** As HTTP writes it, 'Fri, 21 Dec 2012 00:00:00 GMT': nanoseconds since 1970; undefined where it is no date. */
export function nsOfHttpDate(text: string): bigint | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n;
}
