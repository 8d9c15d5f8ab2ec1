import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../errors/error.ts';
import { storedPlans } from '../plan/disk-journal.ts';
import { isOver, nameOf } from '../plan/standing.ts';
import { placesOf } from './kinds/places.ts';

/** Where the plans of this host and their journals lie. */
export function plansIn(stateFolder: string): string {
  return join(stateFolder, 'plans');
}

/** Kinds of steps that make a folder of the plan's own. */
const restores: ReadonlySet<string> = new Set(['restore', 'restore-moment']);

/**
 * 'refused' where another plan of this host that isn't over keeps something below a path: it would be moved along with
 * the path, be removed with what that one gave up, and its own undo would find nothing.
 */
export async function assertNothingKeptBelow(plans: string, path: string, own?: string): Promise<void> {
  for (const stored of await storedPlans(plans)) {
    const { hash, plan, standing } = stored;
    if (isOver(standing) || hash === own) continue;
    const roots = plan.steps.filter(({ kind }) => restores.has(kind)).map((step) => placesOf({ step, hash }).root);
    const within = roots.find((root) => root.startsWith(`${path}/`) && existsSync(root));
    if (within === undefined) continue;
    throw new HoldfastError('refused', `${nameOf(stored)} keeps what was replaced in ${within}, below ${path}`, {
      next: `Say \`holdfast confirm ${hash.slice(0, 12)}\` or \`holdfast undo ${hash.slice(0, 12)}\` first. Nothing was changed.`,
    });
  }
}
