/** For libraries that know no other time; nanoseconds since 1970, of which milliseconds are kept. */
export function dateOfNs(ns: bigint): Date {
  return new Date(Number(ns / 1_000_000n));
}
