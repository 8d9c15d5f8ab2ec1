import { HoldfastError } from '../../errors/error.ts';
import { parseGroupBy } from '../../retention/group.ts';
import { parseTagList } from '../../retention/tags.ts';
import { refuseComponents } from '../by-policy.ts';
import type { Invocation } from '../command.ts';
import type { backupOptions } from '../commands/backup.ts';
import type { Context } from '../context.ts';
import { ownLocation, passwordReference } from '../location.ts';
import { timeOf } from '../time-argument.ts';
import type { By } from '../ways.ts';

type Values = Invocation<typeof backupOptions>['values'];

export async function checkBackup(
  { values, operands }: Invocation<typeof backupOptions>,
  context: Context,
  by: By,
): Promise<void> {
  if (by === 'policy') return checkTags(values);
  await refuseComponents(context, operands, 'backup');
  const lists = [...values.filesFrom, ...values.filesFromVerbatim, ...values.filesFromRaw];
  const fromInput = values.stdin || values.stdinFromCommand;
  if (fromInput && lists.length > 0) throw new HoldfastError('usage', '--stdin and --files-from can’t stand together');
  if (values.stdin && operands.length > 0) throw new HoldfastError('usage', '--stdin and paths can’t stand together');
  const readsInput = values.stdin || lists.includes('-');
  if (readsInput && passwordReference(ownLocation(context), context) === undefined) {
    throw new HoldfastError('usage', 'standard input can’t give both password and data: use --password-file');
  }
  if (values.stdinFromCommand && operands.length === 0)
    throw new HoldfastError('usage', 'backup: which command? It stands behind --');
  if (values.time !== undefined) timeOf(values.time, '--time');
  if (values.groupBy !== undefined) parseGroupBy(values.groupBy);
}

export function tagsOf({ tag }: Pick<Values, 'tag'>): readonly string[] {
  return tag.flatMap(parseTagList).filter((one) => one !== '');
}

function checkTags(values: Values): void {
  const ours = tagsOf(values).find((one) => one.startsWith('hf.'));
  if (ours === undefined) return;
  throw new HoldfastError('usage', `backup: --tag ${ours}: tags that begin with hf. are Holdfast’s own`);
}
