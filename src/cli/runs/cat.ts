import { cat, type CatWish } from '../../job/cat.ts';
import { anySnapshot } from '../../snapshot/snapshots.ts';
import { jobContext } from '../access.ts';
import { printedOf, type Printed } from '../checks/objects.ts';
import type { Run } from '../command.ts';
import type { Context } from '../context.ts';
import { presentTime } from '../selection.ts';

export const run: Run<{}> = async ({ operands }, context) => {
  const outcome = await cat(jobContext(context), wishOf(printedOf(operands), context));
  if (outcome.form === 'raw') await context.console.raw(outcome.bytes);
  else process.stdout.write(`${indented(outcome.bytes)}\n`);
  return 0;
};

function wishOf(printed: Printed, context: Context): CatWish {
  if (!('name' in printed)) return printed;
  return { ...printed, find: { filter: anySnapshot, now: presentTime(context) } };
}

/** With numbers and order as they are stored. */
function indented(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  const verbatim: unknown = JSON.parse(text, (_key, value: unknown, { source }: { readonly source?: string } = {}) =>
    typeof value === 'number' && source !== undefined ? JSON.rawJSON(source) : value,
  );
  return JSON.stringify(verbatim, undefined, 2);
}
