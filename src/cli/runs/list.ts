import { listBlobs, listFiles } from '../../job/list.ts';
import type { FileKind } from '../../repository/repository.ts';
import { jobContext } from '../access.ts';
import { listedOf } from '../checks/objects.ts';
import type { Run } from '../command.ts';

const kinds = {
  packs: 'data',
  index: 'index',
  snapshots: 'snapshots',
  keys: 'keys',
  locks: 'locks',
} as const satisfies Readonly<Record<string, FileKind>>;

/** restic prints plain lines here, with --json too: so do scripts expect it. */
export const run: Run<{}> = async ({ operands }, context) => {
  const what = listedOf(operands);
  const print = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  if (what === 'blobs') {
    await listBlobs(jobContext(context), (type, id) => print(`${type} ${id}`));
    return 0;
  }
  await listFiles(jobContext(context), kinds[what], print);
  return 0;
};
