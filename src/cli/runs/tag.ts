import { changeTags } from '../../job/tag.ts';
import { jobContext } from '../access.ts';
import { changeOf } from '../checks/tag.ts';
import type { Run } from '../command.ts';
import type { tagOptions } from '../commands/tag.ts';
import { plural } from '../format.ts';
import { filterOf, presentTime } from '../selection.ts';

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
