import { line, outcome, row, seconds } from '../first-backup/report.ts';
import { verifiedBy, type Ran } from '../first-team/run.ts';
import { showProof } from '../first-team/showing.ts';
import { loadedOrders } from './cluster.ts';
import type { Order } from './ledger.ts';
import { beside } from './program.ts';

/** What is shown, how long each part took, and what was found wrong. */
export class Show {
  readonly program: (...args: readonly string[]) => Promise<Ran>;
  readonly findings: string[] = [];
  readonly #took: (readonly [string, number])[] = [];

  constructor(folder: string) {
    this.program = beside(folder);
  }

  /** Stops the whole demonstration when the program fails. */
  readonly holdfast = async (...args: readonly string[]): Promise<Ran> => {
    const ran = await this.program(...args);
    if (ran.code === 0) return ran;
    throw new Error(`holdfast ${args.join(' ')} ended with ${ran.code}\n${ran.stderr}${ran.stdout}`);
  };

  took(part: string, { milliseconds }: Pick<Ran, 'milliseconds'>): string {
    this.#took.push([part, milliseconds]);
    return seconds(milliseconds);
  }

  same(claim: string, wrong: readonly string[]): void {
    outcome(wrong.length === 0 ? 'proven' : 'failed', claim);
    for (const difference of wrong.slice(0, 12)) line(`    ${difference}`);
    this.findings.push(...wrong);
  }

  /** Exit code 4 says that the moment is bad, 5 that this host lacks what a sandbox needs: that is told, and no failure. */
  looked(ran: Ran, ordered: readonly Order[]): void {
    const outcomes = verifiedBy(ran);
    for (const { component, repository, state, reason = '', checks, stages } of outcomes) {
      const own = checks.filter(({ name }) => name === 'orders' || name === 'no orphans');
      showProof({ component, repository, state, reason, checks: own, stages });
      if (state === 'failed') this.findings.push(reason);
      if (state !== 'verified') continue;
      const [, pages = ''] = /^(\d+) pages/.exec(checks.find(({ name }) => name === 'checksums')?.found ?? '') ?? [];
      line(`    beside the policy’s checks: ${pages} pages hold their checksums, every row and every index was read`);
      const found = Number(own.find(({ name }) => name === 'orders')?.found);
      const wanted = loadedOrders + ordered.length;
      this.same(
        `as many orders as were loaded and written down: ${wanted.toLocaleString('en')}`,
        found === wanted ? [] : [`the sandbox has ${found} orders, not ${wanted}`],
      );
    }
    if (outcomes.length !== 1) this.findings.push(`verify told of ${outcomes.length} copies, not 1: ${ran.stderr}`);
  }

  /** How long each part took. */
  times(): void {
    for (const [part, milliseconds] of this.#took) row(part, seconds(milliseconds));
  }
}

/** Orders that a table lacks, has otherwise, or has and nobody ordered. */
export function differing(written: readonly Order[], found: ReadonlyMap<number, number>): readonly string[] {
  const ids = new Set(written.map(({ id }) => id));
  const lost = written
    .filter(({ id, cents }) => found.get(id) !== cents)
    .map(({ id }) => `order ${id} is not as it was`);
  return [...lost, ...[...found.keys()].filter((id) => !ids.has(id)).map((id) => `nobody wrote down order ${id}`)];
}
