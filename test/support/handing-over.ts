import { mkdir, writeFile } from 'node:fs/promises';
import type { ArchiveWork } from '../../src/source/log.ts';
import { issueGrant } from '../../src/source/postgres/grant.ts';
import type { TempDir } from './temp-dir.ts';

/** What is handed over: whence the second timeline comes. */
export const handedOver = '00000002.history';

export async function handOver(dataDirectory: string, history: string): Promise<void> {
  await writeFile(`${dataDirectory}/pg_wal/${history}`, '1\t0/2000000\tno reason\n');
  await writeFile(`${dataDirectory}/pg_wal/archive_status/${history}.ready`, '');
}

/** As much of a data directory as what archives it looks at, of cluster 7, with its grant and a file that waits. */
export async function handingOver(
  dir: TempDir,
  stateFolder = dir.file('state'),
): Promise<Pick<ArchiveWork, 'component' | 'stateFolder' | 'dataDirectory'>> {
  const dataDirectory = dir.file('data');
  for (const folder of ['global', 'pg_wal/archive_status'])
    await mkdir(`${dataDirectory}/${folder}`, { recursive: true });
  const control = Buffer.alloc(8192);
  control.writeBigUInt64LE(7n);
  await writeFile(`${dataDirectory}/global/pg_control`, control);
  await handOver(dataDirectory, handedOver);
  const work = { component: 'shop-db', stateFolder, dataDirectory };
  await issueGrant(stateFolder, work.component, dataDirectory);
  return work;
}
