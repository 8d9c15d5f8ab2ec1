import { hasCode } from '../../../errors/error.ts';
import type { LogName } from '../../../log/log.ts';
import type { ArchiveWork } from '../../log.ts';
import type { Notes } from './notes.ts';
import { ArchivePlace } from './place.ts';
import { Taken } from './taken.ts';
import type { Warnings } from './warnings.ts';

interface PlacesOptions {
  readonly signal: AbortSignal;
  readonly name: LogName;
  readonly notes: Notes;
  readonly warnings: Warnings;
}

/** Those that others can fill are noted where they hold nothing yet, and all where they hold another's. */
export function placesOf(work: ArchiveWork, { notes, warnings, ...options }: PlacesOptions): readonly ArchivePlace[] {
  return work.places.map((place) => {
    const { repository } = place;
    const noting = async (note: Promise<void>, otherwise: string): Promise<void> => {
      try {
        await note;
      } catch (error) {
        if (!hasCode(error, 'storage-full')) throw error;
        warnings.once(`${repository} ${otherwise}: ${error.message}`);
      }
    };
    const onEmpty = async (): Promise<void> =>
      await noting(notes.addNew(repository), 'may lack what others hold, if it is not filled at once');
    const taken = new Taken({
      noted: notes.takenIn(repository),
      add: async (at) =>
        await noting(notes.addTaken(at, repository), 'may be given what stands behind another’s log, later'),
      forget: (at) => notes.forgetTaken(at, repository),
    });
    const all = work.places.length > 1 ? { onEmpty } : {};
    return new ArchivePlace({ ...work, ...options, ...all, place, taken });
  });
}
