import { parsePathPatterns } from '../../bytes/path-pattern.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { FindJobOptions } from '../../job/find.ts';
import type { FindQuery } from '../../snapshot/find.ts';
import type { findOptions } from '../commands/find.ts';
import type { Values } from '../option.ts';
import { rawArgument } from '../raw-argument.ts';
import { timeOf } from '../time-argument.ts';
import type { By } from '../ways.ts';

/** What is looked for: by a policy the first operand is a component. */
export function wantedOf(
  values: Values<typeof findOptions>,
  given: readonly string[],
  by: By,
): FindJobOptions['wanted'] {
  const operands = by === 'policy' ? given.slice(1) : given;
  if (operands.length === 0)
    throw new HoldfastError('usage', 'find: what? By a policy it is `find COMPONENT PATTERN…`');
  const [kind, other] = (['blob', 'tree', 'pack'] as const).filter((one) => values[one]);
  if (other !== undefined) throw new HoldfastError('usage', 'find: only one of --blob, --tree and --pack');
  if (kind !== undefined) return { kind: `${kind}s`, ids: operands.map(objectId) };
  const query: FindQuery = {
    patterns: parsePathPatterns(operands.map(rawArgument), { case: values.ignoreCase ? 'ignored' : 'exact' }),
    ...(values.oldest === undefined ? {} : { oldestNs: timeOf(values.oldest, '--oldest') }),
    ...(values.newest === undefined ? {} : { newestNs: timeOf(values.newest, '--newest') }),
  };
  if ((query.oldestNs ?? 0n) > (query.newestNs ?? query.oldestNs ?? 0n)) {
    throw new HoldfastError('usage', '--oldest is after --newest');
  }
  return { kind: 'nodes', query };
}

/** Anything else would match nothing, and look as if nothing used the object. */
function objectId(text: string): string {
  if (/^([0-9a-f]{8}|[0-9a-f]{64})$/.test(text)) return text;
  throw new HoldfastError(
    'usage',
    `find: ${JSON.stringify(text)} is no ID: those have 64 digits (0-9a-f), short ones 8`,
  );
}
