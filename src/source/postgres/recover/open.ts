import { rawPathOf } from '../../../bytes/ids.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { RecoveryDriver } from '../../recovery.ts';
import type { Surroundings } from '../../source.ts';
import { readAddress } from '../address.ts';
import { parseLsn } from '../lsn.ts';
import type { PostgresOptions } from '../options.ts';
import { openReplacement } from '../replace/open.ts';
import { livingAbove } from './living-above.ts';

/** So much of the log a server keeps that replays it, at most. */
const mostKeptBytes = 2 ** 30;

/** How a cluster is brought to a moment. Its parts are loaded when they are needed. */
export function openRecovery(
  { programs, url, primary }: PostgresOptions,
  { component, readSecret }: Surroundings,
): RecoveryDriver {
  return {
    last: rawPathOf(`${component}/data/global/pg_control`),
    standsIn: livingAbove,
    parsePosition: (text) => {
      if (/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i.test(text)) return parseLsn(text);
      throw new HoldfastError('usage', `${JSON.stringify(text)} is no position in a log; one looks like 16/B374D848`);
    },
    survey: async (asked, log) => {
      const { surveyLog } = await import('./survey.ts');
      return await surveyLog(asked, log);
    },
    roomForLog: async ({ version }, logBytes, signal) => {
      const { findPrograms } = await import('../find-programs.ts');
      const found = version === undefined ? undefined : await findPrograms(version, programs, signal);
      return found === undefined ? logBytes : Math.min(logBytes, mostKeptBytes);
    },
    prepare: async (replay) => {
      const { prepareDirectory } = await import('./data-files.ts');
      prepareDirectory(replay.folder);
      const { moveTablespaces } = await import('./move-tablespaces.ts');
      await moveTablespaces(replay);
    },
    replay: async (replay) => {
      const { replayLog } = await import('./recover.ts');
      return await replayLog({ component, programs }, replay);
    },
    inPlace: openReplacement(component, programs),
    follow: async (following) => {
      const address = await readAddress(readSecret, primary ?? url, following.signal);
      const { followPrimary } = await import('./follow-primary.ts');
      return await followPrimary({ component, programs, address }, following);
    },
    leader: async (signal) => {
      const address = await readAddress(readSecret, primary ?? url, signal);
      const { askLeader } = await import('./ask-leader.ts');
      return await askLeader(address, signal);
    },
  };
}
