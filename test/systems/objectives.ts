import { tableLines } from '../../src/cli/table.ts';
import type { ProofTable } from '../support/proof.ts';
import { jsonLines } from '../support/scene.ts';

/** A line of what is wanted of a component, and what is reached. */
export interface Reached {
  readonly component: string;
  readonly objective: string;
  readonly wanted: string;
  readonly reached: string;
  readonly state: string;
}

/** Of what `status --json` writes. */
export function objectivesIn(status: string): readonly Reached[] {
  return jsonLines(status).flatMap((line) => {
    const { component, objectives } = line as unknown as { component: string; objectives?: readonly Reached[] };
    return (objectives ?? []).map((one) => ({ ...one, component }));
  });
}

/** For people, as the test goes by. */
export function linesOf(reached: readonly Reached[]): readonly string[] {
  const rows = reached.map(({ component, objective, wanted, ...one }) => [
    component,
    objective,
    wanted,
    one.reached,
    one.state,
  ]);
  return tableLines({ header: ['component', 'objective', 'wanted', 'reached', ''], rows });
}

export function tableOf(system: string, reached: readonly Reached[]): ProofTable {
  return {
    title: `${system}: objectives after a simulated year and a restore after a loss`,
    columns: ['component', 'objective', 'wanted', 'reached', 'state'],
    rows: reached.map(({ component, objective, ...one }) => [
      component,
      objective,
      one.wanted,
      // How fast this host is changes nothing of what was shown.
      objective === 'rto' && one.state === 'met' ? 'within it' : one.reached,
      one.state,
    ]),
  };
}
