import { hasCode } from '../../../errors/error.ts';
import type { LogName } from '../../../log/log.ts';
import type { ArchiveWork } from '../../log.ts';
import type { Notes } from './notes.ts';
import { ArchivePlace } from './place.ts';
import type { Warnings } from './warnings.ts';

interface PlacesOptions {
  readonly signal: AbortSignal;
  readonly name: LogName;
  readonly notes: Notes;
  readonly warnings: Warnings;
}

/** Those that others can fill are noted where they hold nothing yet. */
export function placesOf(work: ArchiveWork, { notes, warnings, ...options }: PlacesOptions): readonly ArchivePlace[] {
  return work.places.map((place) => {
    const { repository } = place;
    const onEmpty = async (): Promise<void> => {
      try {
        await notes.addNew(repository);
      } catch (error) {
        if (!hasCode(error, 'storage-full')) throw error;
        warnings.once(`${repository} may lack what others hold, if it is not filled at once: ${error.message}`);
      }
    };
    return new ArchivePlace({ ...work, ...options, place, onEmpty: work.places.length > 1 ? onEmpty : undefined });
  });
}
