import { HoldfastError } from '../../errors/error.ts';
import { recordKinds } from '../../record/record.ts';
import { command } from '../command.ts';
import { flag, list, text } from '../option.ts';

export const recordsOptions = {
  component: list('component', 'only of this component (several times: of any of them)'),
  kind: list('kind', `only of this kind: ${recordKinds.join(', ')}`),
  since: text('time', 'only from then on, such as "2026-11-01 14:00" or yesterday'),
  csv: flag('print comma-separated values'),
  verify: flag('judge every chain instead: intact, broken and where, or can’t tell'),
} as const;

export const records = command({
  name: 'records',
  summary: 'Show what was recorded about the components of a policy, and prove it unchanged',
  operands: '',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast records --component shop-db --since 2026-11-01',
      does: 'Who did what to a component, and what came of it.',
    },
    {
      line: 'holdfast records --verify',
      does: 'Whether a record was changed, removed, moved, or signed by a stranger, and whether what was to be verified was.',
    },
  ],
  about: [
    '--verify also names verifications that the policy wants and that nobody has recorded in time.',
    'Exit codes of --verify: 4, a chain is broken, or a verification missed; 5, nobody can tell (no trusted signer, or no second repository).',
    'Whose records are believed: `signers:` of the policy, else the first key that is seen of a writer, which is pinned on this host.',
  ],
  options: recordsOptions,
  ways: {
    of: ({ verify }) => (verify ? 'the judging of chains (--verify)' : 'a list of records'),
    heeds: {
      'a list of records': ['component', 'kind', 'since', 'csv'],
      'the judging of chains (--verify)': ['component', 'verify'],
    },
  },
  check: ({ values: { csv } }, { globals: { json } }) => {
    if (csv && json) throw new HoldfastError('usage', 'records: --csv and --json can’t stand together');
  },
  output: 'its purpose',
});

export const attestOptions = {
  valid: text('span', 'how long it holds, such as 90d or 1y (needed)'),
  component: text('name', 'of which component', { fallback: 'of the whole policy' }),
} as const;

export const recordsAttest = command({
  name: 'records attest',
  summary: 'Record what a person states, until it expires',
  operands: 'ABOUT STATEMENT',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast records attest offsite-disk "The disk of week 47 lies in the vault" --valid 8d',
      does: 'Dated and signed; `status` tells when it has expired.',
    },
  ],
  about: [
    'ABOUT is a short name (a-z, 0-9, -). A newer statement about the same takes the place of the older one, which stays in the records.',
  ],
  options: attestOptions,
});
