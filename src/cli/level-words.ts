import type { ProofLevel } from '../point/point.ts';

/** What was done for a proof of a level that held. */
export const levelWords: Readonly<Record<ProofLevel, string>> = {
  structure: 'structure checked',
  data: 'data read',
  sample: 'sample restored',
  restore: 'restored and checked',
};
