import { secondText } from '../clock/date.ts';
import { displayPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { replacingDriver } from '../job/find-replacement.ts';
import { openSource } from '../job/open-source.ts';
import { pointWanted } from '../job/component-restore.ts';
import type { ExpectedRestore } from '../job/expected.ts';
import type { ComponentContext } from '../job/component.ts';
import type { Plan } from '../plan/plan.ts';
import type { MomentAsked } from '../point/moment.ts';
import type { Component } from '../policy/policy.ts';
import { planReplacement, type PlannedReplacement } from './in-place-moment.ts';
import { assertNothingKeptBelow, plansIn } from './kept-below.ts';
import { disksUnder } from './kinds/disks.ts';
import { around, folderAround, health, livePath, planOf, step, switches, type LivePath } from './steps.ts';

export interface InPlaceOptions {
  readonly component: string;
  /** The newest point of then or before; the newest of all without it. */
  readonly atNs?: bigint;
  readonly safety: 'backup first' | 'none';
  /** Who asks for it. */
  readonly by: string;
  /** Of the component's log; undefined: the newest that can be had. */
  readonly moment?: MomentAsked | undefined;
  /** 'over': file by file over what is there, of which nothing is kept. */
  readonly way: 'beside' | 'over';
  /** In a dry run nothing is rescued either. */
  readonly mode: 'execute' | 'dry-run';
}

export interface PlannedInPlace {
  readonly plan: Plan;
  /** What bringing the point back takes, from each copy in a restore's order. It is no part of the plan. */
  readonly expected: readonly ExpectedRestore[];
  /** What else is to be known of it before; undefined where nothing is. */
  readonly replacement?: PlannedReplacement;
}

/**
 * The plan that puts a component back in its place. All is restored beside it while the live system still runs; then it
 * is stopped, backed up, replaced, started and asked how it is. What is replaced is kept until the plan is confirmed.
 */
export async function planInPlace(context: ComponentContext, options: InPlaceOptions): Promise<PlannedInPlace> {
  const { component: name, safety, by } = options;
  const { [name]: component } = context.policy.components;
  if (component === undefined) throw new HoldfastError('usage', `the policy has no component ${name}`);
  const driver = replacingDriver(context, name);
  if (driver !== undefined) return await planReplacement(context, driver, options);
  if (options.way === 'over')
    throw new HoldfastError('unsupported', `${name} is no cluster: --delta is for clusters alone`, {
      next: '`restore --target / --include PATH` compares by content, too. Nothing was changed.',
    });
  if (options.moment !== undefined && options.moment.moment.kind !== 'time')
    throw new HoldfastError('unsupported', `${name} has no log: only its backups can be brought back`);
  const paths = livePaths(context, name, component);
  for (const { path } of paths) await assertNothingKeptBelow(plansIn(context.stateFolder), path);
  const { point, expected } = await pointWanted(context, options);
  const { identity, timeNs } = point;
  const on = disksUnder(paths.map(folderAround));
  const targets = paths.map(({ path, replace }, slot) => ({ path, slot, replace, ...on }));
  const at = secondText(timeNs);
  const steps = [
    ...targets.map((target) =>
      step(`restore-${target.slot}`, 'restore', { ...target, component: name, point: identity }),
    ),
    ...around(component, 'no'),
    ...(safety === 'none' ? [] : [step('safety', 'safety-backup', { component: name }, 'no')]),
    ...targets.map((target) => step(`switch-${target.slot}`, switches[target.replace], target)),
    ...around(component, 'yes'),
    ...health(component),
  ];
  const title = `${name} in place as of ${at}`;
  const plan = planOf(context, { component, name, title, by, steps });
  return { plan, expected };
}

function livePaths(context: ComponentContext, name: string, component: Component): readonly LivePath[] {
  const { inPlace, excludes } = openSource(context, name, component);
  if (inPlace === undefined)
    throw new HoldfastError('unsupported', `${name} can’t be restored in place by this version; --target works`);
  const message = `what its backups leave out (${excludes.join(', ')}) is not brought back: it stays with what is kept`;
  if (excludes.length > 0) context.listener({ kind: 'warning', during: 'plan', item: name, message });
  const all = inPlace.map(displayPath);
  // What lies inside another comes back with it.
  return all.filter((path) => !all.some((other) => path.startsWith(`${other}/`))).map(livePath);
}
