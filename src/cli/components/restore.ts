import type { Asked } from '../../job/bounded.ts';
import { restoreComponent } from '../../job/component-restore.ts';
import type { RestoreOptions } from '../../snapshot/restore.ts';
import type { Context } from '../context.ts';
import { formatTime, shortPoint } from '../format.ts';
import { policyOf } from '../policy-file.ts';
import { rawArgument } from '../raw-argument.ts';
import { restoreView } from '../restore-view.ts';
import { componentsMeant, recordingContext } from './context.ts';
import type { Named } from './moment.ts';

interface Meant {
  readonly name: string;
  readonly moment: Named | undefined;
  readonly method: string | undefined;
  readonly target: string;
  readonly restore: RestoreOptions;
  readonly asked: Asked;
}

/** `restore COMPONENT --target DIR [--at TIME]`. Exit code 1: something could not be restored from any copy. */
export async function restoreComponentTo(
  { name, moment, method, target, restore, asked }: Meant,
  context: Context,
): Promise<number> {
  const { policy } = await policyOf(context);
  const [component = name] = componentsMeant(policy, [name], false);
  const { console } = context;
  using view = restoreView(context, restore.mode);
  const mode = restore.mode === 'dry-run' ? 'dry-run' : 'execute';
  await using base = await recordingContext(context, policy, { mode, listener: view.listener });
  const outcome = await restoreComponent(base, {
    component,
    method,
    ...(moment === undefined ? {} : { atNs: moment.ns }),
    target: rawArgument(target),
    restore,
    asked,
    onCopy: ({ timeNs, identity }, { repository }) =>
      console.say(`${component}: point ${shortPoint(identity)} of ${formatTime(timeNs)}, from ${repository}`),
  });
  view.finish(outcome);
  return outcome.failures === 0 ? 0 : 1;
}
