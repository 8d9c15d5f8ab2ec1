import { hash as digest } from 'node:crypto';
import { dirname, join } from 'node:path';
import { countOf, textOf } from '../../bytes/fields.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { StepCall } from '../../plan/plan.ts';
import { inodeAt } from './inode.ts';

/** Where a path is put together anew beside its place, or inside it where only its contents can be moved, on the same file system. */
export interface Places {
  /** What is live. */
  readonly live: string;
  /** A folder of the plan's own, 0700. */
  readonly root: string;
  /** What is restored is put below it, under its whole path unless the step says where. */
  readonly fresh: string;
  /** What is to go live. */
  readonly restored: string;
  /** What was live, until it is confirmed. */
  readonly kept: string;
  /** Which inode the restored one is. */
  readonly mark: string;
}

/** The name of such a folder. */
export const ownFolder = /^\w*\.holdfast-[0-9a-f]{12}-\d+$/;

/**
 * `arguments`: {path, slot, replace, within}; two paths of one folder have two slots; `replace` is 'contents' of a mount
 * point; `within` says where it is below what is restored; with `unseen` the name of the plan's own folder begins; `over` is
 * 'yes' where it is written over what is live.
 */
export function placesOf({ step, hash }: Pick<StepCall, 'step' | 'hash'>): Places {
  const live = textOf(step.arguments['path'], step.key);
  const slot = countOf(step.arguments['slot'], 1000, step.key);
  const around = step.arguments['replace'] === 'contents' ? live : dirname(live);
  const { within, unseen } = step.arguments;
  const prefix = unseen === undefined ? '' : textOf(unseen, step.key);
  const own = step.arguments['over'] === 'yes' ? lasting(live) : hash;
  const root = join(around, `${prefix}.holdfast-${own.slice(0, 12)}-${slot}`);
  const fresh = join(root, 'restored');
  const restored = join(fresh, within === undefined ? live : textOf(within, step.key));
  return { live, root, fresh, restored, kept: join(root, 'kept'), mark: join(root, 'mark') };
}

/** What is restored over a place is half done until it is done, whichever plan goes on with it. */
function lasting(live: string): string {
  return digest('sha256', `over ${live}`);
}

/** 'refused' where the plan's own folder is gone, or on a disk that isn't mounted: what is not to be seen is not undone. */
export function assertSeen({ root, live }: Pick<Places, 'root' | 'live'>): void {
  if (inodeAt(root) !== undefined) return;
  throw new HoldfastError('refused', `${root}, which keeps what was there, is not to be seen: is ${live} mounted?`);
}

/** Refuses to move a live path below which somebody else keeps something. */
export type Guard = (call: StepCall, live: string) => Promise<void>;
