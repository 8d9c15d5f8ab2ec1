import { rawPathOf } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { RecoveryDriver } from '../recovery.ts';
import { parseLsn } from './lsn.ts';
import type { PostgresOptions } from './options.ts';

/** How a cluster is brought to a moment. Its parts are loaded when they are needed. */
export function recoveryOf(component: string, { programs }: Pick<PostgresOptions, 'programs'>): RecoveryDriver {
  return {
    last: rawPathOf(`${component}/data/global/pg_control`),
    parsePosition: (text) => {
      if (/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i.test(text)) return parseLsn(text);
      throw new HoldfastError('usage', `${JSON.stringify(text)} is no position in a log; one looks like 16/B374D848`);
    },
    survey: async (asked, log) => {
      const { surveyLog } = await import('./recover/survey.ts');
      return await surveyLog(asked, log);
    },
    prepare: async (replay) => {
      const { prepareDirectory } = await import('./recover/data-files.ts');
      await prepareDirectory(replay.folder);
      const { moveTablespaces } = await import('./recover/move-tablespaces.ts');
      await moveTablespaces(replay);
    },
    replay: async (replay) => {
      const { replayLog } = await import('./recover/recover.ts');
      return await replayLog({ component, programs }, replay);
    },
  };
}
