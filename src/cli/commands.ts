import { HoldfastError } from '../errors/error.ts';
import type { Context } from './context.ts';
import { runnable, type Command, type Run, type Runnable } from './command.ts';
import { nearest } from '../bytes/nearest.ts';
import type { Options } from './option.ts';

/** Every command by name, in the order of help; each is loaded when it is named. */
const table = {
  'init': async () =>
    runnable((await import('./commands/init.ts')).init, async () => (await import('./runs/init.ts')).run),
  'backup': async () =>
    openingComponents(
      (await import('./commands/backup.ts')).backup,
      async () => (await import('./runs/backup.ts')).run,
    ),
  'snapshots': async () =>
    openingComponents(
      (await import('./commands/snapshots.ts')).snapshots,
      async () => (await import('./runs/snapshots.ts')).run,
    ),
  'ls': async () => opening((await import('./commands/ls.ts')).ls, async () => (await import('./runs/ls.ts')).run),
  'find': async () =>
    opening((await import('./commands/find.ts')).find, async () => (await import('./runs/find.ts')).run),
  'diff': async () =>
    opening((await import('./commands/diff.ts')).diff, async () => (await import('./runs/diff.ts')).run),
  'dump': async () =>
    opening((await import('./commands/dump.ts')).dump, async () => (await import('./runs/dump.ts')).run),
  'restore': async () =>
    openingComponents(
      (await import('./commands/restore.ts')).restore,
      async () => (await import('./runs/restore.ts')).run,
    ),
  'check': async () =>
    opening((await import('./commands/check.ts')).check, async () => (await import('./runs/check.ts')).run),
  'forget': async () =>
    openingComponents(
      (await import('./commands/forget.ts')).forget,
      async () => (await import('./runs/forget.ts')).run,
    ),
  'prune': async () =>
    opening((await import('./commands/prune.ts')).prune, async () => (await import('./runs/prune.ts')).run),
  'copy': async () =>
    openingComponents((await import('./commands/copy.ts')).copy, async () => (await import('./runs/copy.ts')).run),
  'repair index': async () =>
    opening(
      (await import('./commands/repair.ts')).repairIndex,
      async () => (await import('./runs/repair-index.ts')).run,
    ),
  'repair config': async () =>
    runnable(
      (await import('./commands/repair.ts')).repairConfig,
      async () => (await import('./runs/repair-config.ts')).run,
    ),
  'repair packs': async () =>
    opening(
      (await import('./commands/repair.ts')).repairPacks,
      async () => (await import('./runs/repair-packs.ts')).run,
    ),
  'repair snapshots': async () =>
    opening(
      (await import('./commands/repair.ts')).repairSnapshots,
      async () => (await import('./runs/repair-snapshots.ts')).run,
    ),
  'repair undelete': async () =>
    opening(
      (await import('./commands/repair.ts')).repairUndelete,
      async () => (await import('./runs/repair-undelete.ts')).run,
    ),
  'tag': async () => opening((await import('./commands/tag.ts')).tag, async () => (await import('./runs/tag.ts')).run),
  'stats': async () =>
    opening((await import('./commands/stats.ts')).stats, async () => (await import('./runs/stats.ts')).run),
  'key list': async () =>
    opening((await import('./commands/key.ts')).keyList, async () => (await import('./runs/key.ts')).list),
  'key add': async () =>
    opening((await import('./commands/key.ts')).keyAdd, async () => (await import('./runs/key.ts')).add),
  'key remove': async () =>
    opening((await import('./commands/key.ts')).keyRemove, async () => (await import('./runs/key.ts')).remove),
  'key passwd': async () =>
    opening((await import('./commands/key.ts')).keyPasswd, async () => (await import('./runs/key.ts')).passwd),
  'unlock': async () =>
    opening((await import('./commands/unlock.ts')).unlock, async () => (await import('./runs/unlock.ts')).run),
  'cat': async () => opening((await import('./commands/cat.ts')).cat, async () => (await import('./runs/cat.ts')).run),
  'list': async () =>
    opening((await import('./commands/list.ts')).list, async () => (await import('./runs/list.ts')).run),
  'cache': async () =>
    runnable((await import('./commands/cache.ts')).cache, async () => (await import('./runs/cache.ts')).run),
  'config check': async () =>
    runnable((await import('./commands/config.ts')).configCheck, async () => (await import('./runs/config.ts')).check),
  'config explain': async () =>
    runnable(
      (await import('./commands/config.ts')).configExplain,
      async () => (await import('./runs/config.ts')).explain,
    ),
  'config init': async () =>
    runnable(
      (await import('./commands/config.ts')).configInit,
      async () => (await import('./runs/config-init.ts')).init,
    ),
  'config sheet': async () =>
    runnable(
      (await import('./commands/config.ts')).configSheet,
      async () => (await import('./runs/config-init.ts')).sheet,
    ),
  'config schema': async () =>
    runnable(
      (await import('./commands/config.ts')).configSchema,
      async () => (await import('./runs/config.ts')).schema,
    ),
  'doctor storage': async () =>
    runnable((await import('./commands/doctor.ts')).doctorStorage, async () => (await import('./runs/doctor.ts')).run),
  'verify': async () =>
    runnable((await import('./commands/verify.ts')).verify, async () => (await import('./runs/verify.ts')).run),
  'postgres setup': async () =>
    runnable(
      (await import('./commands/postgres.ts')).postgresSetup,
      async () => (await import('./runs/postgres-setup.ts')).run,
    ),
  'postgres stream': async () =>
    runnable(
      (await import('./commands/postgres.ts')).postgresStream,
      async () => (await import('./runs/postgres-stream.ts')).run,
    ),
  'postgres archive-push': async () =>
    runnable(
      (await import('./commands/postgres-archive.ts')).archivePush,
      async () => (await import('./runs/postgres-push.ts')).run,
    ),
  'postgres archive-get': async () =>
    runnable(
      (await import('./commands/postgres-archive.ts')).archiveGet,
      async () => (await import('./runs/postgres-get.ts')).run,
    ),
  'status': async () =>
    runnable((await import('./commands/status.ts')).status, async () => (await import('./runs/status.ts')).run),
  'confirm': async () =>
    runnable((await import('./commands/plans.ts')).confirm, async () => (await import('./runs/plans.ts')).confirm),
  'undo': async () =>
    runnable((await import('./commands/plans.ts')).undo, async () => (await import('./runs/plans.ts')).undo),
  'approve': async () =>
    runnable((await import('./commands/plans.ts')).approve, async () => (await import('./runs/plans.ts')).approve),
  'plan list': async () =>
    runnable((await import('./commands/plans.ts')).planList, async () => (await import('./runs/plans.ts')).list),
  'plan show': async () =>
    runnable((await import('./commands/plans.ts')).planShow, async () => (await import('./runs/plans.ts')).show),
  'plan tick': async () =>
    runnable((await import('./commands/plans.ts')).planTick, async () => (await import('./runs/plans.ts')).tick),
  'records': async () =>
    runnable((await import('./commands/records.ts')).records, async () => (await import('./runs/records.ts')).run),
  'records attest': async () =>
    runnable((await import('./commands/records.ts')).recordsAttest, async () => (await import('./runs/attest.ts')).run),
  'records signers': async () =>
    runnable(
      (await import('./commands/signers.ts')).recordsSigners,
      async () => (await import('./runs/signers.ts')).list,
    ),
  'records trust': async () =>
    runnable(
      (await import('./commands/signers.ts')).recordsTrust,
      async () => (await import('./runs/signers.ts')).trust,
    ),
  'completion': async () =>
    runnable((await import('./commands/completion.ts')).completion, async () =>
      (await import('./runs/completion.ts')).completing(allCommands),
    ),
  'version': async () =>
    runnable((await import('./commands/version.ts')).version, async () => (await import('./runs/version.ts')).run),
} as const satisfies Readonly<Record<string, () => Promise<Runnable>>>;

const loaders: Readonly<Record<string, () => Promise<Runnable>>> = table;

/** Of a command that opens the repository: its code is loaded while the key is derived. */
function opening<const O extends Options>(definition: Command<O>, load: () => Promise<Run<O>>): Runnable {
  return runnable(definition, async (context) => await loadOpening(context, load));
}

async function loadOpening<T>(context: Context, load: () => Promise<T>): Promise<T> {
  const { beginOpening } = await import('./opening.ts');
  await beginOpening(context);
  return await load();
}

/** As `opening`; where it goes by a policy, its operands may name components. */
function openingComponents<const O extends Options>(definition: Command<O>, load: () => Promise<Run<O>>): Runnable {
  return runnable(definition, async (context, operands, by) => {
    if (by === 'repository') return await loadOpening(context, load);
    const { beginComponents } = await import('./policy-opening.ts');
    await beginComponents(context, operands);
    return await load();
  });
}

export const commandNames: ReadonlySet<string> = new Set(Object.keys(table));

/** restic has them, or a later version of this program will. */
export const unsupportedCommands = [
  'features',
  'generate',
  'migrate',
  'mount',
  'options',
  'recover',
  'rescue',
  'rewrite',
  'self-update',
] as const;

export function allCommands(): Promise<readonly Runnable[]> {
  return Promise.all(Object.values(loaders).map((load) => load()));
}

/** The command that these words name. */
export async function findCommand(words: readonly string[]): Promise<Runnable> {
  const name = words.join(' ');
  const load = loaders[name];
  if (load !== undefined) return load();
  const unsupported = unsupportedCommands.find((known) => known === words[0] || known === name);
  if (unsupported !== undefined)
    throw new HoldfastError('unsupported', `\`${unsupported}\` is not supported by this version`);
  throw unknownCommand(name);
}

function unknownCommand(name: string): HoldfastError {
  const names = [...commandNames];
  const within = names.filter((known) => known.startsWith(`${name} `));
  if (within.length > 0) {
    return new HoldfastError('usage', `${name}: which one? ${within.join(' · ')}`);
  }
  const guess = nearest(name, names);
  return new HoldfastError(
    'usage',
    `unknown command ${JSON.stringify(name)}${guess === undefined ? '' : `; did you mean \`${guess}\`?`}`,
  );
}
