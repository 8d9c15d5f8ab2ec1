import { resolve } from 'node:path';
import { restoreAsStandby } from '../../job/standby-restore.ts';
import type { RestoreOptions } from '../../snapshot/restore.ts';
import { movedBy } from '../checks/restore.ts';
import type { Context } from '../context.ts';
import { formatTime, quoteForTerminal, shortPoint } from '../format.ts';
import { policyOf } from '../policy-file.ts';
import { ownCommand } from '../program.ts';
import { rawArgument } from '../raw-argument.ts';
import { restoreView } from '../restore-view.ts';
import { stateFolder } from '../state-folder.ts';
import { componentsMeant, recordingContext } from './context.ts';

interface Meant {
  readonly name: string;
  readonly target: string;
  readonly tablespace: readonly string[];
  readonly restore: RestoreOptions;
}

/** `restore COMPONENT --as-standby --target DIR`. Exit code 1: something could not be restored. */
export async function restoreStandbyTo(
  { name, target, tablespace, restore }: Meant,
  context: Context,
): Promise<number> {
  const { policy, file } = await policyOf(context);
  const [component = name] = componentsMeant(policy, [name], false);
  const { console } = context;
  using view = restoreView(context, restore.mode);
  const mode = restore.mode === 'dry-run' ? 'dry-run' : 'execute';
  await using base = await recordingContext(context, policy, { mode, listener: view.listener });
  const program = { path: ownCommand(), options: ['--config', resolve(file)] };
  let followed: string | undefined;
  const { restored, next } = await restoreAsStandby(base, {
    component,
    target: rawArgument(target),
    moved: movedBy(tablespace),
    restore,
    fetching: { program, stateFolder: resolve(stateFolder(context)) },
    onBase: ({ follows }) => {
      followed = follows;
      if (follows !== undefined) console.say(follows);
    },
    onCopy: ({ timeNs, identity }, { repository }) =>
      console.say(`${component}: point ${shortPoint(identity)} of ${formatTime(timeNs)}, from ${repository}`),
  });
  view.finish(restored);
  if (console.form === 'json') console.record({ message_type: 'standby', follows: followed ?? null, next });
  else for (const line of next) console.say(quoteForTerminal(`next: ${line}`), 0);
  return restored.failures === 0 ? 0 : 1;
}
