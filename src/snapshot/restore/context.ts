import type { BigIntStats } from 'node:fs';
import type { RawPath } from '../../bytes/ids.ts';
import type { RestoreRequest } from '../restore.ts';
import type { Folder } from './folder.ts';
import type { MetadataRestorer } from './metadata.ts';
import type { Tally } from './tally.ts';

/** What every part of one restore shares. */
export interface RestoreContext extends RestoreRequest {
  readonly tally: Tally;
  readonly metadata: MetadataRestorer;
  readonly isDryRun: boolean;
  /** What may make way for an item: a folder that isn't empty only where extras are deleted. */
  readonly clearing: 'one' | 'all';
  /** Files that the user's choice of `overwrite` left alone: a verification has nothing to say about them. */
  readonly untouched: Set<RawPath>;
}

/** What stands at a name already; nothing does in a folder that this restore made. */
export function existingAt(folder: Folder, name: RawPath): BigIntStats | undefined {
  return folder.isNew ? undefined : folder.openIfThere()?.lstatIfThere(name);
}
