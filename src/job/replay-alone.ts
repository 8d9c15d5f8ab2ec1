import type { Base } from '../point/moment.ts';
import type { Replay } from '../source/recovery.ts';
import type { ComponentContext } from './component.ts';
import { logPlaces } from './log-places.ts';
import { historyFor, openLogs } from './read-log.ts';

/**
 * What came with the backup is all that is replayed. Whence other epochs come is told all the same: that which begins at its
 * end must not take the number of one that is held, or the log would have two of it.
 */
export async function replayAlone(context: ComponentContext, base: Base): Promise<Omit<Replay, 'folder'>> {
  const { [base.component]: component } = context.policy.components;
  const places = component === undefined ? [] : logPlaces(context, component);
  await using held = await openLogs(context, base.component, base.log.stream, places);
  const { histories, unread } = held;
  const nothing = async (): Promise<undefined> => undefined;
  const history = async (epoch: number): Promise<Uint8Array | undefined> =>
    historyFor({ histories, unread }, base.log.epoch, epoch);
  const feed = { order: [], segment: nothing, segmentInto: nothing, history };
  const asked = { moment: { kind: 'latest' }, edge: 'included', epoch: base.log.epoch } as const;
  const { clock, signal, listener } = context;
  return { ...asked, feed, needs: {}, end: undefined, clock, signal, listener };
}
