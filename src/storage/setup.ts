import { judgeLifecycle } from './setup/judge-lifecycle.ts';
import { judgeLock, judgeVersioning } from './setup/judge-lock.ts';
import { ask } from './setup/question.ts';
import type { Statement } from './statement.ts';
import type { Storage, WaitOptions } from './storage.ts';
import type { Retention } from './versions.ts';

/**
 * How a bucket is set up, which its objects don't tell. Each question may be refused by itself: 'storage-denied' to who
 * may not ask, 'unsupported' by a server that knows no such thing.
 */
export interface BucketSetup {
  /** Where in the bucket the storage begins: '' or ending with '/'. */
  readonly prefix: string;
  readonly versioning: (options?: WaitOptions) => Promise<Versioning>;
  readonly objectLock: (options?: WaitOptions) => Promise<BucketLock>;
  /** The rules that are switched on. */
  readonly lifecycle: (options?: WaitOptions) => Promise<readonly LifecycleRule[]>;
}

/** 'suspended': versions from before stay, new ones replace each other. */
export type Versioning = 'on' | 'suspended' | 'off';

export interface BucketLock {
  readonly state: 'on' | 'off';
  /** What every object gets that is stored without a lock of its own. */
  readonly byDefault?: Retention;
}

/** What the bucket does by itself with objects below a prefix, as they grow older. */
export interface LifecycleRule {
  /** Its own, or its number. */
  readonly name: string;
  readonly prefix: string;
  /** Objects that it leaves alone though they are below the prefix. */
  readonly only?: 'with tags' | 'of some sizes';
  /** When it removes what is current: 'after 30 days'. */
  readonly expires?: string;
  /** Markers that hide nothing any more. */
  readonly removesMarkers: boolean;
  readonly noncurrentDays?: number;
  readonly endsUploads: boolean;
  /** The storage classes it moves current objects into. */
  readonly movesInto: readonly string[];
}

/** What was learned of a bucket. */
export interface ExaminedSetup {
  readonly statements: readonly Statement[];
  /** So long whatever is stored there stays, also what is only tried. */
  readonly byDefault?: Retention | undefined;
}

/** Asks all, and says of each answer what it means for backups; of a storage that isn't a bucket nothing. */
export async function examineSetup(storage: Storage, wait: WaitOptions): Promise<ExaminedSetup> {
  const { setup } = storage;
  if (!setup) return { statements: [] };
  const wish = storage.versions?.retention;
  const versioning = await ask(setup.versioning(wait), wait);
  const lock = await ask(setup.objectLock(wait), wait);
  const rules = await ask(setup.lifecycle(wait), wait);
  const byDefault = lock.known ? lock.answer.byDefault : undefined;
  const statements = [
    judgeVersioning(versioning, wish),
    judgeLock(lock, wish),
    ...judgeLifecycle(rules, { prefix: setup.prefix, versioning, locked: wish ?? byDefault }),
  ];
  return { statements, byDefault };
}
