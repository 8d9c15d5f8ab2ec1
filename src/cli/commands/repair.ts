import { HoldfastError } from '../../errors/error.ts';
import { command } from '../command.ts';
import { snapshotFilter } from '../globals.ts';
import { flag } from '../option.ts';
import { asOfOther, fromOptions } from './from-options.ts';

const dryRun = flag('change nothing, show what would be done', { short: 'n' });

export const repairIndexOptions = {
  dryRun,
  readAllPacks: flag('believe nothing of the index: read the header of every pack'),
} as const;

export const repairIndex = command({
  name: 'repair index',
  summary: 'Make the index anew from what the packs say',
  operands: '',
  worksOn: 'a repository',
  examples: [
    { line: 'holdfast repair index --dry-run', does: 'Shows which index files and packs are wrong.' },
    {
      line: 'holdfast repair index',
      does: 'Removes damaged index files, names packs that none names, forgets lost ones.',
    },
    { line: 'holdfast repair index --read-all-packs', does: 'The same from every pack’s own header.' },
  ],
  about: [
    'The first step after `check` finds damage; `repair packs` and `repair snapshots` follow. The new index is written before the old one goes.',
    'A pack whose header can’t be read keeps its place in the index, so that `repair packs` can save what is left of it; the exit code is 3 then.',
  ],
  options: repairIndexOptions,
});

export const repairSnapshotsOptions = {
  ...snapshotFilter,
  dryRun,
  forget: flag('remove the snapshots that were repaired'),
} as const;

export const repairSnapshots = command({
  name: 'repair snapshots',
  summary: 'Write snapshots anew without what is lost',
  operands: '[SNAPSHOT…]',
  worksOn: 'a repository',
  examples: [
    { line: 'holdfast repair snapshots --dry-run', does: 'Names every file that is lost, or not whole.' },
    { line: 'holdfast repair snapshots', does: 'Copies without them, tagged `repaired`; the originals stay.' },
    { line: 'holdfast repair snapshots --forget 4bba301e', does: 'One snapshot; the original goes.' },
  ],
  about: [
    'Run `repair index` first: what no index names counts as lost. Where the files still exist, a new backup heals more than any repair.',
    'A snapshot of which nothing can be read stays unless --forget is given; the exit code is 3 then.',
  ],
  options: repairSnapshotsOptions,
});

export const repairPacksOptions = { dryRun } as const;

export const repairPacks = command({
  name: 'repair packs',
  summary: 'Save what is left of damaged packs',
  operands: 'PACK…',
  worksOn: 'a repository',
  examples: [
    {
      line: 'holdfast repair packs --dry-run 5c657874…',
      does: 'Shows which blobs of a pack are intact. `check --read-data` names damaged packs.',
    },
    { line: 'holdfast repair packs 5c657874…', does: 'Stores them anew; the damaged pack goes.' },
  ],
  about: [
    'Each pack is first saved as it is, as `pack-<ID>` in the present folder. Then `repair snapshots` writes snapshots without what was lost.',
  ],
  options: repairPacksOptions,
  check: async ({ operands }) => void (await import('../checks/objects.ts')).packIds(operands),
});

export const repairConfigOptions = { dryRun, ...fromOptions } as const;

export const repairConfig = command({
  name: 'repair config',
  summary: 'Give a repository whose config is lost a new one',
  operands: '',
  worksOn: 'a repository',
  examples: [
    {
      line: 'holdfast -r /srv/backup repair config --from-repo /mnt/clone',
      does: 'Takes it from a file-by-file copy of the repository: nothing is lost.',
    },
    {
      line: 'holdfast -r /srv/backup repair config --from-repo /mnt/second',
      does: 'From a repository that cuts files alike (`init --copy-chunker-params`): only the ID is new.',
    },
    { line: 'holdfast -r /srv/backup repair config', does: 'ID and cut are new: what files hold is stored once more.' },
  ],
  about: [
    'The keys must still be there. Everything that is stored can be read afterwards; where files were cut can’t be known without a copy.',
    asOfOther,
  ],
  options: repairConfigOptions,
});

export const repairUndeleteOptions = { dryRun } as const;

export const repairUndelete = command({
  name: 'repair undelete',
  summary: 'Make a repository on a versioned bucket again what it was at a time',
  operands: '',
  worksOn: 'a repository',
  examples: [
    {
      line: 'holdfast -r s3:… repair undelete --as-of "2026-08-01 14:00" --dry-run',
      does: 'Shows what would come back, what would be hidden, and what it costs.',
    },
    {
      line: 'holdfast -r s3:… -o s3.lock=30d repair undelete --as-of "2026-08-01 14:00"',
      does: 'Does it; what is stored again is locked again.',
    },
  ],
  about: [
    'After a thief or an accident wrote over, hid or removed objects. No version that holds something is removed: markers are, where they alone hide what was there, and else it is stored again.',
    'What came since stays where it was sealed with the repository’s key: backups made since are named and kept. All else is hidden, keys too that were added since: add them again.',
    'Whatever was removed since comes back, keys too: remove those again that nobody should have. Takes no lock: let nobody prune meanwhile.',
    'The exit code is 3 where something is lost or could not be hidden. A second run finds the first one’s work.',
  ],
  options: repairUndeleteOptions,
  check: (_given, { globals }) => {
    if (globals.asOf === undefined)
      throw new HoldfastError('usage', 'repair undelete: to which time? Say --as-of "2026-08-01 14:00"');
  },
});
