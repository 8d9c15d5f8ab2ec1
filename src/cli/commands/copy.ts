import { command } from '../command.ts';
import { snapshotFilter } from '../globals.ts';
import { flag, text } from '../option.ts';
import { asOfOther, fromOptions } from './from-options.ts';
import { eitherWay } from '../ways.ts';

export const copyOptions = {
  all: flag('every component of the policy, to all its repositories'),
  rule: text('name', 'only this rule of the components'),
  ...fromOptions,
  ...snapshotFilter,
  dryRun: flag('change nothing, show what would be copied', { short: 'n' }),
} as const;

export const copy = command({
  name: 'copy',
  summary: 'Copy snapshots from another repository',
  operands: '[SNAPSHOT… | COMPONENT…]',
  worksOn: 'either',
  examples: [
    {
      line: 'holdfast -r /mnt/second copy --from-repo /srv/backup --from-password-file /etc/holdfast/password',
      does: 'Every snapshot of /srv/backup that /mnt/second does not have yet.',
    },
    {
      line: 'holdfast -r /mnt/second copy --from-repo /srv/backup --host db1 latest --dry-run',
      does: 'Shows what copying the newest one of a host would take.',
    },
    { line: 'holdfast copy --all', does: 'Whatever the other repositories of the policy’s rules lack and would keep.' },
  ],
  about: [
    'Blobs are carried over as they are, decrypted and encrypted anew but never cut again. Run it again after an interruption: what is there already is found, whichever program copied it.',
    'A target that was made by `init --from-repo … --copy-chunker-params` cuts files at the same places, so that its own backups and the copies share their data.',
    'A snapshot of which the source has lost a part is not copied: it is named, with the files, all others are copied, and the exit code is 3.',
    asOfOther,
  ],
  options: copyOptions,
  ways: eitherWay(copyOptions, { policy: ['all', 'rule'], both: ['dryRun'] }),
  check: async ({ values }, context, by) => {
    const { fromLocation, repositoryAddress } = await import('../location.ts');
    if (by === 'repository') await repositoryAddress(fromLocation(values, context));
  },
});
