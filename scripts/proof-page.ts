import type { Proof, ProofTable } from '../test/support/proof.ts';

/** The result of one section of the full run: of one test file. */
export interface Section {
  readonly date: string;
  readonly commit: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly proofs: readonly Proof[];
}

/** By the path of the test file. */
export type Sections = Readonly<Record<string, Section>>;

/** docs/PROOF.md: what was shown, by which sections, and which of them were not run. */
export function proofPage(files: readonly string[], sections: Sections): string {
  const done = files.flatMap((file) => (sections[file] === undefined ? [] : [{ file, ...sections[file] }]));
  return [
    '# Proof',
    '',
    'Written by `npm run test:full`: every test at full size, against real restic. A section is a test file.',
    '',
    verdict(files, sections),
    '',
    '| claim | test | count | seeds | date | commit |',
    '| --- | --- | --- | --- | --- | --- |',
    ...done.flatMap((section) => (section.failed === 0 ? claims(section) : [])),
    '',
    ...tables(done.flatMap(({ failed, proofs }) => (failed === 0 ? proofs : []))),
    '## Sections',
    '',
    '| section | passed | failed | skipped | date | commit |',
    '| --- | --- | --- | --- | --- | --- |',
    ...files.map((file) => total(file, sections[file])),
    '',
  ].join('\n');
}

function verdict(files: readonly string[], sections: Sections): string {
  const missing = files.filter((file) => sections[file] === undefined).length;
  const failed = files.filter((file) => (sections[file]?.failed ?? 0) > 0).length;
  if (missing + failed === 0) return `All ${files.length} sections passed.`;
  return `**Incomplete**: of ${files.length} sections ${missing} were not run, and ${failed} failed.`;
}

function claims({ proofs, date, commit }: Section): readonly string[] {
  return proofs.map(({ claim, test, count, seeds }) => row(claim, test, count, shortened(seeds), date, commit));
}

/** Those of one title under one head. */
function tables(proofs: readonly Proof[]): readonly string[] {
  const found = Map.groupBy(
    proofs.flatMap(({ table }) => table ?? []),
    ({ title }) => title,
  );
  return [...found].flatMap(([title, some]) => [`## ${title}`, '', ...lines(some), '']);
}

function lines(some: readonly ProofTable[]): readonly string[] {
  const columns = some[0]?.columns ?? [];
  return [
    row(...columns),
    row(...columns.map(() => '---')),
    ...joined(some.flatMap(({ rows }) => rows)).map((cells) => row(...cells.map((cell) => cell ?? 'NOT RUN'))),
  ];
}

type Cells = ProofTable['rows'][number];

function joined(rows: readonly Cells[]): readonly Cells[] {
  const whole: Cells[] = [];
  for (const cells of rows) {
    const at = whole.findIndex((others) => fitTogether(others, cells));
    const others = whole[at];
    if (others === undefined) whole.push(cells);
    else whole[at] = others.map((cell, column) => cell ?? cells[column] ?? null);
  }
  return whole;
}

function fitTogether([name, ...cells]: Cells, [otherName, ...others]: Cells): boolean {
  const fit = (cell: string | null, other = cell): boolean => cell === null || other === null || cell === other;
  return name === otherName && cells.every((cell, column) => fit(cell, others[column]));
}

function total(file: string, section: Section | undefined): string {
  if (section === undefined) return row(file, 'NOT RUN', '', '', '', '');
  const { passed, failed, skipped, date, commit } = section;
  return row(file, String(passed), failed === 0 ? '0' : `**${failed} FAILED**`, String(skipped), date, commit);
}

/** Seeds that follow one another are a range: '7…106'. */
function shortened(seeds: readonly string[]): string {
  const [first = '–', last = first] = [seeds[0], seeds.at(-1)];
  const isRange = seeds.length > 2 && seeds.every((seed, n) => Number(seed) === Number(first) + n);
  return isRange ? `${first}…${last}` : seeds.join(' ') || '–';
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
