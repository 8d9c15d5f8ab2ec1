import type { Replay } from '../../recovery.ts';
import { lsnText } from '../lsn.ts';

/**
 * A server that recovers takes whatever is no log for its end, and opens: what a moment to be named would not let pass. So
 * where all was asked for, it has to have come to the last record that the log was seen to hold. Says otherwise why not.
 */
export function shortOfEnd(
  { moment, end }: Pick<Replay, 'moment' | 'end'>,
  redoneTo: bigint | undefined,
): string | undefined {
  if (moment.kind !== 'latest' || end === undefined) return undefined;
  if (redoneTo !== undefined && redoneTo >= end) return undefined;
  const at = redoneTo === undefined ? 'its beginning' : lsnText(redoneTo);
  return `what is held of the log breaks off behind ${at}, though it goes on to ${lsnText(end)}: it is not of one piece`;
}
