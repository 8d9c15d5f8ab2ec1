import { HoldfastError } from '../../errors/error.ts';
import { wholeNumber } from '../option.ts';

export interface MomentWords {
  readonly at: string | undefined;
  readonly lsn: string | undefined;
  readonly xid: string | undefined;
  readonly name: string | undefined;
  readonly latest: boolean;
  readonly immediate: boolean;
  readonly exclusive: boolean;
  readonly timeline: string | undefined;
}

/** Whether any but `--at`, which also means the newest backup of then or before. */
export function namesMoment({ lsn, xid, name, latest, immediate }: MomentWords): boolean {
  return lsn !== undefined || xid !== undefined || name !== undefined || latest || immediate;
}

/** At most one names it. */
export function checkNamed({ at, lsn, xid, name, latest, immediate, timeline }: MomentWords): void {
  const named = [at, lsn, xid, name].filter((text) => text !== undefined).length + Number(latest) + Number(immediate);
  if (named > 1) throw oneOfThem('several');
  for (const [label, text] of [
    ['--xid', xid],
    ['--timeline', timeline],
  ] as const)
    if (text !== undefined) wholeNumber(text, label);
}

/** What says more of a moment stands beside what names one. */
export function checkMoment(words: MomentWords): void {
  const { at, lsn, xid, exclusive, timeline } = words;
  checkNamed(words);
  if (exclusive && at === undefined && lsn === undefined && xid === undefined)
    throw new HoldfastError('usage', '--exclusive goes with --at, --lsn or --xid: nothing else has two sides');
  if (timeline !== undefined && at === undefined && !namesMoment(words))
    throw new HoldfastError('usage', '--timeline goes with what names a moment, as --latest or --at');
}

export function oneOfThem(given: 'none' | 'several'): HoldfastError {
  const several = given === 'none' ? '' : ', and only one: several are given';
  return new HoldfastError(
    'usage',
    `one of --at, --lsn, --xid, --name, --latest and --immediate names the moment${several}`,
  );
}
