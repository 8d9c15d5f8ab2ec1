import { resolve } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { startAside } from '../../host/aside.ts';
import type { ComponentContext, RuleOf } from '../../job/component.ts';
import { logWork } from '../../job/log-places.ts';
import { openSource } from '../../job/open-source.ts';
import type { Note } from '../../events/events.ts';
import { baseRulesOf, type Policy } from '../../policy/policy.ts';
import type { ArchiveWork, BaseBackups } from '../../source/log.ts';
import { componentContext, componentsMeant, recordingContext } from '../components/context.ts';
import type { Context } from '../context.ts';
import { policyFileName, policyOf } from '../policy-file.ts';
import { policyWatch } from '../policy-watch.ts';
import { ownCommand, placeOptions } from '../program.ts';

/** Works in the data directory that it was started in. */
export async function work(name: string, context: Context): Promise<number> {
  const isStillWanted = await policyWatch(await policyFileName(context));
  const { policy } = await policyOf(context);
  componentsMeant(policy, [name], false);
  const component = policy.components[name];
  if (component?.log?.mode !== 'archive')
    throw new HoldfastError('refused', `the policy wants no archive of the log of ${name}`, {
      next: 'Write `log: { mode: archive, to: … }` into the policy, or empty archive_command. Nothing was stored.',
    });
  await using notes = recordingNotes(context, policy, name);
  await using base = await componentContext(context, policy, { mode: 'execute', listener: notes.listener });
  const { log } = openSource(base, name, component);
  if (log?.archive === undefined) throw new HoldfastError('unsupported', `${name} has no log that a server hands over`);
  const own = logWork({ ...base, stateFolder: resolve(base.stateFolder) }, name, component);
  const mostQueuedBytes = component.log['push-queue-max'];
  const { areRecorded } = notes;
  const baseBackups = mostQueuedBytes === undefined ? undefined : baseBackupsOf(context, base, { name, component });
  const asked = { mostQueuedBytes, baseBackups, isStillWanted, areRecorded };
  await log.archive({ ...own, ...asked, dataDirectory: process.cwd() });
  return 0;
}

/** By the first rule of the policy whose backups the log follows; undefined where there is none. */
function baseBackupsOf(
  context: Context,
  base: ComponentContext,
  { name, component }: Pick<RuleOf, 'name' | 'component'>,
): BaseBackups | undefined {
  const [first] = baseRulesOf(component);
  if (first === undefined) return undefined;
  const [ruleName, rule] = first;
  const words = ['backup', name, '--rule', ruleName, ...placeOptions(context)];
  return {
    rule: ruleName,
    isDue: async (sinceNs, stream) => {
      const { isBaseDue } = await import('../../job/base-due-now.ts');
      return await isBaseDue(base, { name, component, ruleName, rule, stream }, sinceNs);
    },
    start: (logPath) => startAside(ownCommand(), words, logPath),
  };
}

/** What breaks the log is recorded; a worker that stores all there is has nothing to record, and opens nothing for it. */
function recordingNotes(
  context: Context,
  policy: Policy,
  component: string,
): AsyncDisposable & Required<Pick<ArchiveWork, 'listener' | 'areRecorded'>> {
  let last = Promise.resolve();
  let areAllRecorded = true;
  const record = async ({ name, data }: Note): Promise<void> => {
    await using base = await recordingContext(context, policy, { mode: 'execute', listener: context.listener });
    await base.recording?.record({ kind: 'log', component, data: { action: name, ...data } });
  };
  // The log goes on: what can't be written down is told.
  const unrecorded = (error: unknown): void => {
    if (!(error instanceof Error)) throw error;
    areAllRecorded = false;
    const message = `what became of the log is not recorded: ${error.message}`;
    context.listener({ kind: 'warning', during: 'log', item: component, message });
  };
  return {
    listener: (event) => {
      context.listener(event);
      if (event.kind === 'note' && ['log-gap', 'base-backup-due', 'base-backup-started'].includes(event.name))
        last = last.then(async () => await record(event)).catch((error: unknown) => unrecorded(error));
    },
    areRecorded: async () => {
      await last;
      return areAllRecorded;
    },
    [Symbol.asyncDispose]: async () => await last,
  };
}
