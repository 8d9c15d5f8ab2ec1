import { HoldfastError } from '../../errors/error.ts';
import { listBlobs, listFiles } from '../../job/list.ts';
import type { FileKind } from '../../repository/repository.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';

const kinds: Readonly<Record<string, FileKind>> = {
  packs: 'data',
  index: 'index',
  snapshots: 'snapshots',
  keys: 'keys',
  locks: 'locks',
};

/** restic prints plain lines here, with --json too: so do scripts expect it. */
export const run: Run<{}> = async ({ operands }, context) => {
  const [what = ''] = operands;
  const print = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  if (what === 'blobs') {
    await listBlobs(jobContext(context), (type, id) => print(`${type} ${id}`));
    return 0;
  }
  const kind = kinds[what];
  if (kind === undefined)
    throw new HoldfastError(
      'usage',
      `list: ${JSON.stringify(what)} is none of blobs, ${Object.keys(kinds).join(', ')}`,
    );
  await listFiles(jobContext(context), kind, print);
  return 0;
};
