import { resolve } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { heldStreamOf, secretsOutOfReach } from '../../job/log-setup.ts';
import type { Recording } from '../../job/component.ts';
import { openSource } from '../../job/open-source.ts';
import type { Component } from '../../policy/policy.ts';
import type { Setup, SetupItem, SetupPlan, SetupWanted } from '../../source/setup.ts';
import type { Run } from '../command.ts';
import type { setupOptions } from '../commands/postgres.ts';
import { componentsMeant, recordingContext } from '../components/context.ts';
import type { Console } from '../console.ts';
import type { Context } from '../context.ts';
import { policyOf } from '../policy-file.ts';
import { ownCommand } from '../program.ts';
import { countsOf, recordSetup, tellSetup } from '../setup-view.ts';
import { stateFolder } from '../state-folder.ts';

/** Looks; with --apply changes what it may, and looks again. */
export const run: Run<typeof setupOptions> = async ({ operands, values }, context) => {
  const { file, policy } = await policyOf(context);
  const { console, listener, signal } = context;
  const [name = ''] = componentsMeant(policy, operands, false);
  const component = policy.components[name];
  if (component === undefined) throw new HoldfastError('internal', `${name} is gone from the policy`);
  await using base = await recordingContext(context, policy, { mode: values.apply ? 'execute' : 'dry-run', listener });
  const { setup } = openSource(base, name, component);
  if (setup === undefined)
    throw new HoldfastError('unsupported', `${name} has no server that could be set up: it needs nothing`);
  const wanted: SetupWanted = {
    ...wantedOf(component, file, context),
    missing: secretsOutOfReach(policy, component),
    heldStream: heldStreamOf(base, name, component),
    adopt: values.adopt === undefined ? undefined : resolve(values.adopt),
    foreign: values.replaceArchiving ? 'replaced' : 'kept',
  };
  const first = await setup.look(wanted, signal);
  const applied = values.apply
    ? await apply(setup, first, { wanted, signal, console, component: name, recording: base.recording })
    : 0;
  const plan = applied === 0 ? first : await setup.look(wanted, signal);
  if (console.form === 'json') recordSetup(name, plan, console);
  else tellSetup(plan, console);
  return summarize(plan, { name, applied, apply: values.apply ? 'done' : 'not asked for' }, console);
};

function wantedOf(
  { log }: Component,
  file: string,
  context: Context,
): Pick<SetupWanted, 'log' | 'program' | 'stateFolder'> {
  const state = resolve(stateFolder(context));
  return {
    log: log === undefined ? undefined : { mode: log.mode, everyMs: log.every?.ms },
    program: { path: ownCommand(), options: ['--config', resolve(file)] },
    stateFolder: state,
  };
}

interface Applying {
  readonly component: string;
  readonly wanted: SetupWanted;
  readonly signal: AbortSignal;
  readonly console: Console;
  readonly recording: Recording | undefined;
}

/** In their order: each stands on those before it, so that the first failure ends it. Resolves with how many were done. */
async function apply(
  setup: Setup,
  { items }: SetupPlan,
  { component, wanted, signal, console, recording }: Applying,
): Promise<number> {
  const due = items.filter(({ state }) => state === 'to apply');
  for (const item of due) {
    await setup.apply(item, wanted, signal);
    const data = { outcome: 'done', action: 'set up', item: item.name, wanted: item.wanted };
    await recording?.record({ kind: 'configuration', component, data });
    if (console.form === 'json') console.record({ message_type: 'setup_applied', component, ...shortOf(item) });
    else console.say(`applied ${item.name}: ${item.found} → ${item.wanted}`);
  }
  return due.length;
}

function shortOf({ name, found, wanted, effect }: SetupItem): Pick<SetupItem, 'name' | 'found' | 'wanted' | 'effect'> {
  return { name, found, wanted, effect };
}

interface Summary {
  readonly name: string;
  readonly applied: number;
  readonly apply: 'done' | 'not asked for';
}

function summarize(plan: SetupPlan, { name, applied, apply: done }: Summary, console: Console): number {
  const counts = countsOf(plan.items);
  const left = counts.to_apply + counts.by_hand + counts.unknown;
  if (console.form === 'json') console.record({ message_type: 'summary', component: name, applied, ...counts });
  else console.say(inWords(counts, { name, applied, apply: done }), 0);
  return left === 0 ? 0 : 3;
}

function inWords(counts: ReturnType<typeof countsOf>, { name, applied, apply: done }: Summary): string {
  const parts = [
    applied > 0 ? `${applied} applied` : '',
    counts.to_apply > 0 ? `${counts.to_apply} that \`holdfast postgres setup ${name} --apply\` would do` : '',
    counts.by_hand > 0 ? `${counts.by_hand} to be done by hand` : '',
    counts.unknown > 0 ? `${counts.unknown} not known` : '',
  ].filter((part) => part !== '');
  const changed = done === 'done' ? '' : ' Nothing was changed.';
  return parts.length === 0 ? `${name}: nothing is left to do` : `${name}: ${parts.join(', ')}.${changed}`;
}
