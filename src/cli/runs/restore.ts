import { HoldfastError } from '../../errors/error.ts';
import { restoreToFolder } from '../../job/restore.ts';
import type { RestoreOptions } from '../../snapshot/restore.ts';
import { jobContext } from '../access.ts';
import { goesByPolicy } from '../by-policy.ts';
import type { Invocation, Run } from '../command.ts';
import type { restoreOptions } from '../commands/restore.ts';
import type { Context } from '../context.ts';
import { namesMoment } from '../checks/moment-words.ts';
import { momentAt } from '../components/moment.ts';
import { policyOf } from '../policy-file.ts';
import { rawArgument } from '../raw-argument.ts';
import { patternsAsked, restoreWith } from '../restore-selection.ts';
import { restoreView } from '../restore-view.ts';
import { restoreWay } from '../restore-way.ts';
import { findOptions } from '../selection.ts';

export const run: Run<typeof restoreOptions> = async (asked, context) => {
  const given = Object.keys(asked.values).filter((key) => context.given(key).origin === 'flag');
  const way = restoreWay(asked.values, given);
  switch (way.kind) {
    case 'parts':
      return await takeOut(asked, way.into, context);
    case 'database':
      return await load(asked, way.into, context);
    case 'in place':
      return await inPlace(asked, context);
    case 'standby':
      return await follow(asked, way.target, context);
    case 'folder':
      return await toFolder(asked, way.target, context);
  }
};

type Asked = Invocation<typeof restoreOptions>;

async function takeOut({ values, operands }: Asked, into: string, context: Context): Promise<number> {
  const { extractInto } = await import('../components/extract.ts');
  return await extractInto({ ...values, component: operands[0] ?? '', into }, context);
}

async function load({ values, operands }: Asked, into: string, context: Context): Promise<number> {
  const { loadComponentInto } = await import('../components/load.ts');
  return await loadComponentInto({ ...values, name: operands[0] ?? '', into }, context);
}

async function inPlace({ values, operands }: Asked, context: Context): Promise<number> {
  const { restoreInPlace } = await import('../components/in-place.ts');
  const mode = values.dryRun ? 'dry-run' : 'execute';
  const safety = values.noSafetyBackup ? 'none' : 'backup first';
  const way = values.delta ? 'over' : 'beside';
  return await restoreInPlace({ name: operands[0] ?? '', words: values, mode, safety, way }, context);
}

async function follow({ values, operands }: Asked, target: string, context: Context): Promise<number> {
  const { restoreStandbyTo } = await import('../components/as-standby.ts');
  const restore = await restoreWith(values, context.environment);
  return await restoreStandbyTo({ name: operands[0] ?? '', target, tablespace: values.tablespace, restore }, context);
}

async function toFolder(asked: Asked, target: string, context: Context): Promise<number> {
  const to = { target, restore: await restoreWith(asked.values, context.environment) };
  return (await goesByPolicy(context)) ? await component(asked, to, context) : await snapshot(asked, to, context);
}

interface Folder {
  readonly target: string;
  readonly restore: RestoreOptions;
}

/** By its log where a moment is named, else, or where no log is of that time, a point as it was stored. */
async function component({ values, operands }: Asked, to: Folder, context: Context): Promise<number> {
  const { policy } = await policyOf(context);
  const moment = momentAt(values.at, policy, context);
  const named = { ...to, moment, name: operands[0] ?? '', asked: patternsAsked(values) };
  // A way of backing up that has no log is asked for by its name.
  if (namesMoment(values) || (values.at !== undefined && values.method === undefined)) {
    const { restoreMomentTo } = await import('../components/restore-moment.ts');
    const code = await restoreMomentTo({ ...named, words: values }, context);
    if (code !== 'snapshots alone') return code;
  }
  if (values.tablespace.length > 0)
    throw new HoldfastError(
      'unsupported',
      'restore: --tablespace goes with a moment of a log, as --latest or --immediate',
    );
  const { restoreComponentTo } = await import('../components/restore.ts');
  return await restoreComponentTo({ ...named, method: values.method }, context);
}

async function snapshot({ values, operands }: Asked, { target, restore }: Folder, context: Context): Promise<number> {
  using view = restoreView(context, restore.mode);
  const outcome = await restoreToFolder(jobContext(context, view.listener), {
    name: operands[0] ?? '',
    find: findOptions(values, context),
    target: rawArgument(target),
    restore,
  });
  view.finish(outcome);
  return outcome.failures === 0 ? 0 : 1;
}
