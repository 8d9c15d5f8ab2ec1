import { rawPathOf } from '../../../bytes/ids.ts';
import type { InPlaceDriver } from '../../in-place.ts';
import { isWholeCluster } from './prepared.ts';

/** How a cluster takes the place of one that stands there. Its parts are loaded when they are needed. */
export function openReplacement(component: string, programs: readonly string[]): InPlaceDriver {
  return {
    description: rawPathOf(`${component}/postgres.json`),
    within: `${component}/data`,
    storedAt: (oid) => `${component}/data/pg_tblspc/${oid}`,
    // A server takes it for what sorts leave behind: it sends none of it, and removes none where it isn't a database's.
    unseen: 'pgsql_tmp',
    key: 'global/pg_control',
    look: async (folder, signal, isHalfOver) => {
      const { lookAtSeat } = await import('./seat.ts');
      return await lookAtSeat({ component, programs, signal, folder, isHalfOver });
    },
    assertOurs: async (place, stream) => await (await import('./ours.ts')).assertOurs(component, place, stream),
    handOver: 'select pg_switch_wal()',
    obstacle: async (place) => await (await import('./stopped.ts')).obstacleIn(place),
    assertStopped: async (place) => await (await import('./stopped.ts')).assertStopped(place),
    rescue: async (work, from) => await (await import('./rescue.ts')).rescueLog(work, from),
    adopt: async (folder, seat, signal) => await (await import('./adopt.ts')).adopt(folder, seat, signal),
    goesOnAs: async (key) => await (await import('./ours.ts')).goesOnAs(key),
    mayWrite: async (stateFolder, stood) =>
      await (await import('./may-write.ts')).mayWrite(component, stateFolder, stood),
    whyNotWriting: async (stateFolder, place) =>
      await (await import('./may-write.ts')).whyNotWriting(component, stateFolder, place),
    takeOver: async (work, place) => await (await import('./take-over.ts')).takeOver(component, work, place),
    over: {
      extent: async (seat) => await (await import('./over.ts')).extentOver(seat),
      withOthers: async (extent, others) => await (await import('./over.ts')).withTablespaces(extent, others),
      isWhole: isWholeCluster,
      settle: async (place, work) => await (await import('./stopped.ts')).settle(place, work),
      prepare: async (folder, seat) => (await import('./over.ts')).prepareOver(folder, seat),
      finish: async (folder, place) => await (await import('./over.ts')).finishOver(folder, place),
    },
  };
}
