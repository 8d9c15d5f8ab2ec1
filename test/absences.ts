/**
 * What a machine may lack, and with it the only reasons for which a test may be skipped. A test says
 * `{ skip: absent('root') }`; a skip with any other text fails in CI.
 */
const absences = {
  'go': { reason: 'no Go toolchain to build the peer with', failsInCi: true },
  'mounts': { reason: 'needs root that may mount file systems', failsInCi: false },
  'openssl': { reason: 'no openssl to make a certificate with', failsInCi: true },
  'postgres': { reason: 'Debian’s package postgresql-15 is not installed', failsInCi: true },
  'postgres-clients': {
    reason: 'clients of PostgreSQL 16 to 18 come by Python’s pip, which is not there',
    failsInCi: false,
  },
  'postgres-versions': { reason: 'PostgreSQL’s servers come as packages for Linux on x64', failsInCi: true },
  'python': { reason: 'no Python to read a zip with', failsInCi: false },
  'rclone': { reason: 'Debian’s rclone package can’t be had', failsInCi: true },
  'redis': { reason: 'Debian’s redis packages can’t be had', failsInCi: true },
  'restic-0.14': { reason: 'Debian’s restic package can’t be had', failsInCi: true },
  'root': { reason: 'needs to run as root', failsInCi: false },
  'rustic': { reason: 'rustic, which only the full run builds, is not there', failsInCi: false },
  'script': { reason: 'the script command of util-linux is needed for a terminal', failsInCi: true },
  'sshd': { reason: 'Debian’s openssh packages can’t be had', failsInCi: true },
} as const satisfies Record<string, Absence>;

interface Absence {
  readonly reason: string;
  /** The project's own CI has it: to lack it there is a fault. */
  readonly failsInCi: boolean;
}

export type AbsenceName = keyof typeof absences;

/** The text of a skip. */
export function absent(name: AbsenceName): string {
  return `${name}: ${absences[name].reason}`;
}

/** Whether a skip with this text is one that CI accepts. */
export function acceptedInCi(skip: string): boolean {
  return Object.entries(absences).some(([name, { reason, failsInCi }]) => !failsInCi && skip === `${name}: ${reason}`);
}
