import { flag, text } from '../option.ts';

/** What names a moment of a component's log, beside `--at`. */
export const momentOptions = {
  lsn: text('position', 'of a component with a log: up to there, as 16/B374D848'),
  xid: text('number', 'of a component with a log: up to the end of this transaction'),
  name: text('name', 'of a component with a log: up to the restore point of this name'),
  latest: flag('of a component with a log: all that there is'),
  immediate: flag('of a component with a log: where its newest backup is consistent'),
  exclusive: flag('with --at, --lsn and --xid: without what is exactly there'),
  timeline: text('number', 'of a component with a log: the timeline to follow', { fallback: 'the one that goes on' }),
} as const;

/** Those beside what names it. */
export const momentKeys = ['lsn', 'xid', 'name', 'latest', 'immediate', 'exclusive', 'timeline'] as const;
