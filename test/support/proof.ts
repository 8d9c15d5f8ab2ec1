import type { TestContext } from 'node:test';

/** What a test has shown, as it stands in docs/PROOF.md after a full run. */
export interface Proof {
  /** For people: 'a kill at any moment loses no snapshot'. */
  readonly claim: string;
  readonly test: string;
  /** How often, with the unit: '500 kills'. */
  readonly count: string;
  /** Seeds that replay it; empty where nothing was random. */
  readonly seeds: readonly string[];
  readonly table?: ProofTable;
}

/**
 * What has more sides than a claim; tables of one title stand as one, and so do rows with the same first cell that fill
 * different columns, or the same ones alike.
 */
export interface ProofTable {
  readonly title: string;
  readonly columns: readonly string[];
  /** null is for another test to fill. */
  readonly rows: readonly (readonly (string | null)[])[];
}

const mark = 'proof ';

/** Tells the full run what this test has shown; in a sample it is a line of the test's diagnostics. */
export function prove(
  context: TestContext,
  shown: Pick<Proof, 'claim' | 'count' | 'table'> & { readonly seeds?: readonly unknown[] },
): void {
  const proof: Proof = {
    claim: shown.claim,
    test: context.name,
    count: shown.count,
    seeds: (shown.seeds ?? []).map(String),
    ...(shown.table && { table: shown.table }),
  };
  context.diagnostic(mark + JSON.stringify(proof));
}

/** The proof in a line of diagnostics, if it is one. */
export function readProof(message: string): readonly Proof[] {
  return message.startsWith(mark) ? [JSON.parse(message.slice(mark.length)) as Proof] : [];
}
