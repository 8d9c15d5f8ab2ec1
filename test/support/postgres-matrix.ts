import type { TestContext } from 'node:test';
import type { PostgresMajor } from '../servers/postgres-versions.ts';
import { prove } from './proof.ts';

const columns = [
  'version',
  'by the protocol',
  'on its host',
  'incremental',
  'moments',
  'streamers killed',
  'production lost',
  'in place',
  'in place, over what is there',
  'one table of a moment',
  'one table of a dump',
] as const;

type Column = Exclude<(typeof columns)[number], 'version'>;

/** One field of the table of versions in docs/PROOF.md; each test fills its own, and what no test filled reads NOT RUN. */
export function proveForVersion(
  context: TestContext,
  version: PostgresMajor | `${PostgresMajor}${string}`,
  shown: { readonly claim: string; readonly column: Column; readonly count: string },
): void {
  const { claim, column, count } = shown;
  const cells: Readonly<Record<string, string>> = { version, ...lackingIn(version), [column]: count };
  const row = columns.map((one) => cells[one] ?? null);
  prove(context, {
    claim: `PostgreSQL ${version}: ${claim}`,
    count,
    table: { title: 'PostgreSQL: versions', columns, rows: [row] },
  });
}

/** What a server of this major can't do is not missing. */
function lackingIn(version: string): Partial<Record<Column, string>> {
  return Number.parseInt(version) < 17 ? { incremental: 'from 17 on' } : {};
}
