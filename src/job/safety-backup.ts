import { HoldfastError } from '../errors/error.ts';
import { placesOf } from '../policy/policy.ts';
import { listSnapshots } from '../snapshot/snapshots.ts';
import { backup } from './backup.ts';
import { openReadable } from './open-source.ts';
import { contextIn, recorded, type ComponentContext } from './component.ts';
import { inRepository } from './job.ts';

export interface SafetyBackup {
  readonly component: string;
  /** The hash of the plan that is about to replace what is backed up. */
  readonly plan: string;
}

/**
 * Backs a component up as it is before a restore replaces it, into the first repository of its rules. It is no point of
 * the component: what was wrong with it would be taken for its newest backup. Whoever wants it finds it by its tags;
 * `forgetSafety` removes it some time after the plan was confirmed or undone.
 */
export async function backupForSafety(context: ComponentContext, of: SafetyBackup): Promise<void> {
  const first = homeOf(context, of);
  const about = { kind: 'run', component: of.component, repository: first, plan: of.plan } as const;
  await recorded(
    context,
    about,
    async () => {
      const { [of.component]: component } = context.policy.components;
      if (component === undefined) throw new HoldfastError('usage', `the policy has no component ${of.component}`);
      const { source, paths, excludes } = openReadable(context, of.component, component);
      return await backup(contextIn(context, first), {
        source,
        paths,
        parent: { kind: 'latest', groupBy: { host: false, paths: true, tags: false } },
        detection: { mode: 'metadata', ctime: 'compared', inode: 'compared' },
        snapshot: { ...context.maker, tags: tagsOf(of), excludes },
        writer: { ...context.writer, mode: 'store' },
        whenUnchanged: 'save',
        scan: 'none',
        lockMemory: context.cacheFolder,
        notes: 'none',
      });
    },
    ({ unread, snapshot }) => ({ outcome: unread === 0 ? 'done' : 'done in part', safety: true, snapshot, unread }),
  );
}

export async function hasSafetyBackup(context: ComponentContext, of: SafetyBackup): Promise<boolean> {
  const filter = { hosts: [], paths: [], tagLists: [tagsOf(of)] };
  return await inRepository(contextIn(context, homeOf(context, of)), 'read', async (repository) =>
    (await listSnapshots(repository, filter)).some(({ kind }) => kind === 'snapshot'),
  );
}

export function safetyTagOf(component: string): string {
  return `hf.safety=${component}`;
}

function tagsOf({ component, plan }: SafetyBackup): readonly string[] {
  return [safetyTagOf(component), `hf.plan=${plan}`];
}

function homeOf({ policy }: ComponentContext, { component }: SafetyBackup): string {
  const places = Object.values(policy.components[component]?.backups ?? {}).flatMap(placesOf);
  const first = places.find((place) => policy.repositories[place] !== undefined);
  if (first === undefined) throw new HoldfastError('refused', `${component} has no rule that names a repository`);
  return first;
}
