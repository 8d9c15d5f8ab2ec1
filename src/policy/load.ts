import { sourceKinds, type SourceKinds } from '../source/kinds.ts';
import type { Located } from './document/located.ts';
import { effective } from './document/effective.ts';
import { plain } from './document/located.ts';
import { readYaml } from './document/read-yaml.ts';
import { contradictions } from './contradictions/contradictions.ts';
import { notBuilt } from './not-built.ts';
import type { Policy } from './policy.ts';
import { sortedProblems, type Problem } from './problem.ts';
import { findingsOf } from './schema/findings.ts';
import { policyOf } from './schema/top.ts';

/** A file that was read; with an 'error' among its problems there is no policy. */
export interface LoadedPolicy {
  readonly policy: Policy | undefined;
  /** All of them, in the order of the file. */
  readonly problems: readonly Problem[];
  /** What the policy was made of, for `explained`. */
  readonly root: Located | undefined;
}

/** Reads a policy from the text of its file. Asks nothing of the world: no file, no environment, no clock. */
export function loadPolicy(text: string, kinds: SourceKinds = sourceKinds): LoadedPolicy {
  const read = readYaml(text);
  if (read.root === undefined) return { policy: undefined, problems: read.problems, root: undefined };
  const schema = policyOf(kinds);
  const { root, problems } = effective(read.root);
  const parsed = schema.safeParse(plain(root), { reportInput: true });
  const found = parsed.success ? contradictions(parsed.data, root) : findingsOf(schema, root, parsed.error.issues);
  const all = sortedProblems([...problems, ...found, ...notBuilt(root, schema, kinds)]);
  const refused = !parsed.success || all.some(({ severity }) => severity === 'error');
  return { policy: refused ? undefined : parsed.data, problems: all, root };
}
