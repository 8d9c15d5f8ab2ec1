import { hash } from 'node:crypto';
import { canonicalJson } from '../bytes/canonical-json.ts';
import { countOf, fieldsOf, listOf, parseFields, textOf, type Fields } from '../bytes/fields.ts';
import { HoldfastError } from '../errors/error.ts';
import { mostArgumentBytes, mostSteps, type Plan, type Step } from './plan.ts';

/** The one text of a plan: members sorted, no blanks. */
export function encodePlan(plan: Plan): string {
  assertHolds(plan);
  return canonicalJson(plan);
}

/** SHA-256 of the plan's text, hex: its identity. */
export function hashOfPlan(plan: Plan): string {
  return hash('sha256', encodePlan(plan));
}

/** 'damaged', naming `what`, when it makes no sense; 'unsupported' when a later version wrote it. */
export function decodePlan(bytes: Uint8Array, what: string): Plan {
  const fields = parseFields(bytes, what);
  if (fields['version'] !== 1)
    throw new HoldfastError('unsupported', `${what} was made by a version of Holdfast that knows more`);
  const plan: Plan = {
    version: 1,
    title: textOf(fields['title'], what),
    component: textOf(fields['component'], what),
    made: textOf(fields['made'], what),
    by: textOf(fields['by'], what),
    steps: listOf(fields['steps'], what).map((step) => stepOf(fieldsOf(step, what), what)),
  };
  assertHolds(plan);
  return plan;
}

const mostMs = 2 ** 31 - 1;

function stepOf(fields: Fields, what: string): Step {
  const { attempts, pauseMs } = fieldsOf(fields['retry'], what);
  return {
    key: textOf(fields['key'], what),
    kind: textOf(fields['kind'], what),
    where: textOf(fields['where'], what),
    arguments: fieldsOf(fields['arguments'], what),
    undo: oneOf(['no', 'in order', 'in any case', 'impossible'], fields['undo'], what),
    timeoutMs: countOf(fields['timeoutMs'], mostMs, what),
    retry: { attempts: countOf(attempts, mostMs, what), pauseMs: countOf(pauseMs, mostMs, what) },
    approval: oneOf(['none', 'another person'], fields['approval'], what),
    manual: textOf(fields['manual'], what),
  };
}

function oneOf<const T extends string>(words: readonly T[], value: unknown, what: string): T {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw new HoldfastError('damaged', `${what} has none of ${words.join(', ')}`);
}

function assertHolds({ steps }: Plan): void {
  const refuse = (why: string): never => {
    throw new HoldfastError('refused', `this is no plan: ${why}`);
  };
  if (steps.length === 0 || steps.length > mostSteps) refuse(`${steps.length} steps, of at most ${mostSteps}`);
  const keys = new Set<string>();
  for (const { key, retry, arguments: given } of steps) {
    if (!/^[a-z0-9-]{1,63}$/.test(key) || keys.has(key)) refuse(`a step’s key ${JSON.stringify(key)}`);
    if (retry.attempts < 1) refuse(`${key} is never attempted`);
    if (Buffer.byteLength(JSON.stringify(given)) > mostArgumentBytes) refuse(`${key} has more than 64 KiB`);
    keys.add(key);
  }
}
