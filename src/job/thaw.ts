import type { FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { keyOf } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { executeThaw, mayBeArchived, planThaw, type ThawPlan } from '../storage/thaw.ts';
import type { JobContext } from './job.ts';

type ThawContext = Pick<JobContext, 'clock' | 'listener' | 'signal' | 'onThaw'>;

interface PacksToRead {
  /** Asked for only where something may be archived. */
  readonly packs: () => Promise<ReadonlySet<FileId>>;
  /** 'dry-run' only tells the plan. */
  readonly mode: 'execute' | 'dry-run';
  /** What a user can do who doesn't want to pay. */
  readonly instead?: string;
}

const prefix = 'data/';

/**
 * Has packs brought back from an archive before they are read, and waits for them; where the user didn't allow it,
 * 'storage-archived' says what is archived.
 */
export async function thawPacks(
  { storage }: Pick<Repository, 'storage'>,
  context: ThawContext,
  { packs, mode, instead }: PacksToRead,
): Promise<void> {
  if (!(await mayBeArchived(storage, prefix, context.signal))) return;
  const keys = new Set([...(await packs())].map((pack) => keyOf('data', pack)));
  const plan = await planThaw(storage, prefix, keys, context);
  if (plan === undefined) return;
  context.onThaw?.(plan);
  if (mode === 'dry-run') return;
  if (plan.wishes.permission === 'given') await executeThaw(storage, plan, context);
  else assertReadable(plan, instead);
}

function assertReadable(plan: ThawPlan, instead: string | undefined): void {
  const { url, toRetrieve, toKeep, underWay, thawed } = plan;
  const cold = toRetrieve.length + underWay.length;
  if (cold === 0) return;
  const thawing = underWay.length > 0 ? ` (${underWay.length} are being thawed already)` : '';
  const all = cold + toKeep.length + thawed.length;
  const message = `${cold} of ${all} archived packs that this needs can't be read yet${thawing}`;
  const offer =
    'Nothing was asked for. Add -o s3.enable-restore=true to have them thawed, which costs money, and wait for them';
  throw new HoldfastError('storage-archived', `${message}, in the archive of ${url}`, {
    next: `${offer}${instead === undefined ? '' : `; or ${instead}`}.`,
  });
}
