/** Crockford's base 32, in which a ULID is written: ten digits of time (milliseconds), sixteen of chance. */
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ulid = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/**
 * When a version was stored, nanoseconds since 1970. versitygw names versions by ULIDs, and they tell the truth where
 * its dates don't: it gives an old version the date of its successor, and a marker that of what it hides.
 */
export function versionTime(version: string, lastModified: Date | undefined): bigint {
  const ms = ulid.test(version) ? timeOfUlid(version) : (lastModified?.getTime() ?? 0);
  return BigInt(ms) * 1_000_000n;
}

function timeOfUlid(name: string): number {
  return Array.from(name.slice(0, 10)).reduce((ms, digit) => ms * 32 + digits.indexOf(digit), 0);
}
