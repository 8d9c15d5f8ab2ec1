import { repairConfig, type RepairConfigOptions } from '../../job/repair-config.ts';
import type { RepairConfigPlan } from '../../repository/repair-config.ts';
import { readSecret } from '../../secret/secret.ts';
import { repositoryAccess } from '../access.ts';
import { askSecret } from '../ask.ts';
import type { Invocation, Run } from '../command.ts';
import type { repairConfigOptions } from '../commands/repair.ts';
import type { Context } from '../context.ts';
import { fromLocation, ownLocation, passwordReference, repositoryAddress } from '../location.ts';
import { openingWith } from '../opening.ts';
import { dryRunLine, tellEnd, tellSteps, type Step } from '../repair-view.ts';

export const run: Run<typeof repairConfigOptions> = async ({ values }, context) => {
  const { console, signal } = context;
  const location = ownLocation(context);
  const at = { ...location, address: await repositoryAddress(location) };
  const reference = passwordReference(location, context);
  const password =
    reference === undefined
      ? await askSecret(`enter password for ${location.name}: `, signal)
      : await readSecret(reference, signal);
  const { storage, search: key } = await openingWith(context, at, password);
  await repairConfig({
    storage,
    key,
    mode: values.dryRun ? 'dry-run' : 'execute',
    onPlan: (plan) => tellSteps(console, [stepOf(plan)]),
    ...otherOf(values, context),
  });
  tellEnd(console, values.dryRun ? dryRunLine : 'the config is written: now run `holdfast check`', {
    dry_run: values.dryRun,
  });
  return 0;
};

/** A variable alone names one too, as for copy. */
function otherOf(
  values: Invocation<typeof repairConfigOptions>['values'],
  context: Context,
): Pick<RepairConfigOptions, 'from'> {
  const from = fromLocation(values, context);
  const isNamed = from.repo.origin !== 'none' || from.repositoryFile.origin !== 'none';
  return isNamed ? { from: repositoryAccess(context, from) } : {};
}

const origins = {
  clone: 'from a copy of this repository: nothing of it is lost',
  copy: 'with a new ID; files are cut as the other repository cuts them',
  new: 'with a new ID; where files were cut can’t be known, so the next backup stores what they hold once more',
} as const;

function stepOf({ config, origin, state }: RepairConfigPlan): Step {
  const { version, id, chunkerPolynomial } = config;
  return {
    action: 'write config',
    line: `write a config (the old one is ${state}), version ${version}, ID ${id.slice(0, 10)}, ${origins[origin]}`,
    about: { state, origin, version, id, chunker_polynomial: chunkerPolynomial },
  };
}
