import type { Proof } from '../test/support/proof.ts';

/** The result of one section of the full run. */
export interface Section {
  readonly date: string;
  readonly passed: number;
  readonly skipped: number;
  readonly proofs: readonly Proof[];
}

/** docs/PROOF.md. */
export function proofPage(commit: string, sections: Readonly<Record<string, Section>>): string {
  const claims = Object.values(sections).flatMap(({ date, proofs }) =>
    proofs.map(({ claim, test, count, seeds }) => row(claim, test, count, seeds.join(' ') || '–', date, commit)),
  );
  const totals = Object.entries(sections).map(([name, section]) =>
    row(name, String(section.passed), String(section.skipped), section.date),
  );
  return [
    '# Proof',
    '',
    'Written by `npm run test:full`: every test at full size, against real restic.',
    '',
    '| claim | test | count | seeds | date | commit |',
    '| --- | --- | --- | --- | --- | --- |',
    ...claims,
    '',
    '| section | passed | skipped | date |',
    '| --- | --- | --- | --- |',
    ...totals,
    '',
  ].join('\n');
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
