import { lsnText } from './lsn.ts';
import type { Gathered } from './gather.ts';
import type { ServerFacts } from './server.ts';

export interface Described {
  readonly facts: ServerFacts;
  readonly gathered: Gathered & { readonly system: string };
  readonly configuration: readonly string[];
}

/** The text of `postgres.json`: what a restore has to know that the data directory doesn't say itself. */
export function describeBackup({ facts, gathered, configuration }: Described): string {
  const { system, start, end, tablespaces, pageChecksums } = gathered;
  const description = {
    format: 1,
    version: facts.version,
    major: facts.major,
    systemIdentifier: system,
    timeline: start.timeline,
    startLsn: lsnText(start.lsn),
    endLsn: lsnText(end.lsn),
    walSegmentBytes: facts.segmentBytes,
    dataDirectory: facts.dataDirectory ?? null,
    dataChecksums: facts.dataChecksums === 'off' ? 'off' : pageChecksums === 'right' ? 'right' : 'wrong',
    tablespaces: tablespaces.flatMap(({ oid, location }) => (oid === undefined ? [] : [{ oid, location }])),
    configuration,
  };
  return `${JSON.stringify(description, null, 2)}\n`;
}
