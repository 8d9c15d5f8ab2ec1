import { HoldfastError } from '../../errors/error.ts';
import { changeTags } from '../../job/tag.ts';
import type { TagChange } from '../../snapshot/tags.ts';
import { jobContext } from '../access.ts';
import type { Invocation, Run } from '../command.ts';
import type { tagOptions } from '../commands/tag.ts';
import { plural } from '../format.ts';
import { filterOf, presentTime } from '../selection.ts';
import { parseTagList } from '../../retention/tags.ts';

export const run: Run<typeof tagOptions> = async ({ values, operands }, context) => {
  const { console } = context;
  const change = changeOf(values);
  const options = { names: operands, filter: filterOf(values), now: presentTime(context), change };
  const { changed } = await changeTags(jobContext(context), options);
  if (console.form === 'json') {
    for (const { from, to } of changed)
      console.record({ message_type: 'changed', old_snapshot_id: from, new_snapshot_id: to });
    console.record({ message_type: 'summary', changed_snapshots: changed.length });
    return 0;
  }
  for (const { from, to } of changed) console.say(`snapshot ${from.slice(0, 8)} is now ${to.slice(0, 8)}`, 2);
  console.say(
    changed.length === 0 ? 'no snapshot was changed' : `changed the tags of ${plural(changed.length, 'snapshot')}`,
  );
  return 0;
};

function changeOf({ add, remove, set }: Invocation<typeof tagOptions>['values']): TagChange {
  if (set.length + add.length + remove.length === 0)
    throw new HoldfastError('usage', 'tag: say --add, --remove or --set');
  if (set.length === 0) return { add: add.flatMap(parseTagList), remove: remove.flatMap(parseTagList) };
  if (add.length + remove.length > 0)
    throw new HoldfastError('usage', '--set and --add or --remove can’t stand together');
  return { set: set.flatMap(parseTagList) };
}
