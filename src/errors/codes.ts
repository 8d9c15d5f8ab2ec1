/**
 * Every error that Holdfast can show: its stable code, the exit code of a command that ends with it, and what
 * to do next. A code is never reused; docs/errors/<code>.md explains each at length. Sorted by code.
 */
export const codes = {
  'approval-needed': { exit: 6, next: 'When a person has done what is waited for, run the command again.' },
  'blob-missing': { exit: 1, next: 'Run `holdfast check` to learn which snapshots and files need this blob.' },
  'clock-wrong': {
    exit: 1,
    next: 'Set the clock of this host right (by NTP: `timedatectl` shows it) and run the command again.',
  },
  'damaged': { exit: 1, next: 'Run `holdfast check --read-data` to learn what is affected. Nothing was changed.' },
  'internal': { exit: 1, next: 'This is a defect of Holdfast: please report it with the text above.' },
  'interrupted': { exit: 130, next: 'Run the same command again: what is done already is not done twice.' },
  'lock-lost': {
    exit: 11,
    next: 'Nothing was written after the lock was lost. Run the same command again.',
  },
  'locked': {
    exit: 11,
    next: 'Wait for the holder, use --retry-lock, or run `holdfast unlock` if the holder is gone.',
  },
  'log-conflict': {
    exit: 1,
    next: 'Find out which cluster should write this log, and keep the other from it; nothing was replaced.',
  },
  'log-timeline-taken': {
    exit: 1,
    next: 'Decide which of both is right; give the other a component of its own, or keep it from this log. Nothing was replaced.',
  },
  'no-repository': {
    exit: 10,
    next: 'Check the address, and that its disk is mounted. One that never was is created by `holdfast init`.',
  },
  'path-not-found': { exit: 1, next: 'Run `holdfast ls` to see what the snapshot holds. Nothing was changed.' },
  'point-not-found': { exit: 1, next: 'Run `holdfast snapshots --points` to see what there is. Nothing was changed.' },
  'policy-refused': {
    exit: 2,
    next: 'Mend the places named above; `holdfast config check` looks again. Nothing was changed.',
  },
  'refused': { exit: 1, next: 'Nothing was changed.' },
  'replay-failed': {
    exit: 1,
    next: 'Restore into another, empty folder once what the server says is mended. Nothing live was changed.',
  },
  'snapshot-not-found': { exit: 1, next: 'Run `holdfast snapshots` to see what there is. Nothing was changed.' },
  'source-failed': { exit: 1, next: 'No snapshot was written. Earlier snapshots are unharmed.' },
  'storage-archived': {
    exit: 1,
    next: 'Add -o s3.enable-restore=true to have it thawed, which takes hours and costs money; --dry-run shows a plan.',
  },
  'storage-denied': { exit: 1, next: 'Check the owner and the permissions of the storage.' },
  'storage-exists': { exit: 1, next: 'The key is write-once and holds something else already.' },
  'storage-failed': { exit: 1, next: 'What was stored before is unharmed. Run the command again.' },
  'storage-full': { exit: 1, next: 'Free some space, or run `holdfast prune`. What was stored before is unharmed.' },
  'storage-missing': { exit: 1, next: 'Check that the storage is mounted and complete.' },
  'storage-not-found': { exit: 1, next: 'Run `holdfast check` to learn what is affected.' },
  'storage-read-only': { exit: 1, next: 'Mount the storage writable.' },
  'storage-timeout': { exit: 1, next: 'The storage did not answer in time. Run the command again.' },
  'unreachable': {
    exit: 2,
    next: 'Choose one of the moments named above; `holdfast snapshots --points` shows all. Nothing was changed.',
  },
  'unsupported': { exit: 2, next: 'Nothing was changed.' },
  'usage': { exit: 2, next: 'Run the command with --help. Nothing was changed.' },
  'wrong-password': { exit: 12, next: 'Give the right password, or one of another key of the repository.' },
} as const satisfies Record<string, { readonly exit: number; readonly next: string }>;

export type ErrorCode = keyof typeof codes;
