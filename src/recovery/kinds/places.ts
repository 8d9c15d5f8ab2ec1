import { dirname, join } from 'node:path';
import { countOf, textOf } from '../../bytes/fields.ts';
import type { StepCall } from '../../plan/plan.ts';

/** Where a path is put together anew beside its place, or inside it where only its contents can be moved, on the same file system. */
export interface Places {
  /** What is live. */
  readonly live: string;
  /** A folder of the plan's own, 0700. */
  readonly root: string;
  /** What is restored is put below it, under its whole path. */
  readonly fresh: string;
  /** What is to go live. */
  readonly restored: string;
  /** What was live, until it is confirmed. */
  readonly kept: string;
  /** Which inode the restored one is. */
  readonly mark: string;
}

/** The name of such a folder. */
export const ownFolder = /^\.holdfast-[0-9a-f]{12}-\d+$/;

/** `arguments`: {path, slot, replace}; two paths of one folder have two slots; `replace` is 'contents' of a mount point. */
export function placesOf({ step, hash }: Pick<StepCall, 'step' | 'hash'>): Places {
  const live = textOf(step.arguments['path'], step.key);
  const slot = countOf(step.arguments['slot'], 1000, step.key);
  const around = step.arguments['replace'] === 'contents' ? live : dirname(live);
  const root = join(around, `.holdfast-${hash.slice(0, 12)}-${slot}`);
  const fresh = join(root, 'restored');
  return { live, root, fresh, restored: join(fresh, live), kept: join(root, 'kept'), mark: join(root, 'mark') };
}

/** Refuses to move a live path below which somebody else keeps something. */
export type Guard = (call: StepCall, live: string) => Promise<void>;
