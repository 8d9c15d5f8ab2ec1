import { text } from './option.ts';

/** Of commands that show what is in backups, where they go by a policy. */
export const readingOptions = {
  at: text('time', 'of a component: the newest point of then or before', { fallback: 'the newest' }),
  from: text('repository', 'of a component: out of this repository of the policy', { fallback: 'the nearest' }),
} as const;

/** For their help. */
export const recordedReading =
  'By a policy it is recorded before anything is shown: who read, from which address, of which component and point, which paths.';
