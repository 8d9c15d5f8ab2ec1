import type { LogDriver } from '../../log.ts';
import { named } from '../../named.ts';

/** What a server calls for each segment. What does it is loaded when it is needed. */
export function openArchiving(): Pick<LogDriver, 'archive' | 'fetch' | 'fetchAhead'> {
  return {
    archive: async (work) => {
      try {
        const { archiveFiles } = await import('./worker.ts');
        await archiveFiles(work);
      } catch (error) {
        throw named(work.component, error, work.signal);
      }
    },
    fetch: async (work) => {
      try {
        const { fetchFile } = await import('./get.ts');
        return await fetchFile(work);
      } catch (error) {
        throw named(work.component, error, work.signal);
      }
    },
    fetchAhead: async (work) => await (await import('./fetch-ahead.ts')).fetchAhead(work),
  };
}
