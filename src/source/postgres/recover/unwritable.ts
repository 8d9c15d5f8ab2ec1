import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import type { Replay } from '../../recovery.ts';

/** What a disk refuses; anything else is a defect. */
const refusals: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS'];

interface Replaying extends Pick<Replay, 'folder' | 'as'> {
  readonly component: string;
}

/** 'replay-failed', with what to do, where what a replay needs can't be written beside what was restored. */
export async function sayingUnwritable<T>({ component, folder, as }: Replaying, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    if (!hasCode(cause, 'source-failed') && !refusals.includes(errorCode(cause) ?? '')) throw cause;
    const message = `${component}: what the replay needs can’t be written into ${folder}: ${reasonOf(cause)}`;
    const isCopy = as === undefined || as === 'a copy';
    const again = isCopy ? ', and restore into another, empty folder: this one is not taken for another try' : '';
    const next = `See that there is room, and that the disk is sound${again}. Nothing live was changed.`;
    throw new HoldfastError('replay-failed', message, { cause, next });
  }
}
