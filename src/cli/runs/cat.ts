import { HoldfastError } from '../../errors/error.ts';
import { cat, type CatWish } from '../../job/cat.ts';
import { anySnapshot } from '../../snapshot/snapshots.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';
import type { Context } from '../context.ts';
import { presentTime } from '../selection.ts';

export const run: Run<{}> = async ({ operands }, context) => {
  const [kind = '', name] = operands;
  const outcome = await cat(jobContext(context), wishOf(kind, name, context));
  if (outcome.form === 'raw') await context.console.raw(outcome.bytes);
  else process.stdout.write(`${indented(outcome.bytes)}\n`);
  return 0;
};

function wishOf(kind: string, name: string | undefined, context: Context): CatWish {
  if (kind === 'config' || kind === 'masterkey') return { kind };
  if (name === undefined) throw new HoldfastError('usage', `cat ${kind}: an ID is missing`);
  switch (kind) {
    case 'snapshot':
    case 'tree':
      return { kind, name, find: { filter: anySnapshot, now: presentTime(context) } };
    case 'index':
    case 'lock':
    case 'key':
    case 'pack':
    case 'blob':
      return { kind, id: name };
    default:
      throw new HoldfastError(
        'usage',
        `cat: ${JSON.stringify(kind)} is none of config, masterkey, snapshot, index, key, lock, pack, blob, tree`,
      );
  }
}

/** With numbers and order as they are stored. */
function indented(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  const verbatim: unknown = JSON.parse(text, (_key, value: unknown, { source }: { readonly source?: string } = {}) =>
    typeof value === 'number' && source !== undefined ? JSON.rawJSON(source) : value,
  );
  return JSON.stringify(verbatim, undefined, 2);
}
