import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { prove } from '../proof.ts';
import { externalPromises } from './elsewhere.ts';
import { readingPromises } from './reading.ts';
import type { SourceSubject } from './subject.ts';
import { SourceTrial } from './trial.ts';

export type PromiseResult =
  | { readonly name: string; readonly outcome: 'kept' | 'not claimed' }
  | { readonly name: string; readonly outcome: 'broken'; readonly error: unknown };

/**
 * Every promise of the source contract, each on a subject made anew. What a subject doesn't claim is named; whatever a
 * promise has it tell is looked through for the secret of its options.
 */
export async function sourceConformance(subject: SourceSubject): Promise<readonly PromiseResult[]> {
  const results: PromiseResult[] = [await tried(subject, 'parsed options are parsed to the same again', parsedTwice)];
  for (const { name, needs, prove: proving } of readingPromises) {
    const { reading } = subject;
    if (reading === undefined || (needs !== undefined && reading[needs] === undefined))
      results.push({ name, outcome: 'not claimed' });
    else results.push(await tried(subject, name, async (trial) => await proving(trial, reading)));
  }
  for (const { name, prove: proving } of externalPromises) {
    const { external } = subject;
    if (external === undefined) results.push({ name, outcome: 'not claimed' });
    else results.push(await tried(subject, name, async (trial) => await proving(trial, external)));
  }
  return results;
}

async function tried(
  subject: SourceSubject,
  name: string,
  proving: (trial: SourceTrial) => Promise<void>,
): Promise<PromiseResult> {
  await using trial = await SourceTrial.of(subject);
  try {
    await proving(trial);
    const { secret } = subject;
    if (secret !== undefined) assert.ok(!trial.told.text().includes(secret), 'the secret was told');
    return { name, outcome: 'kept' };
  } catch (error) {
    return { name, outcome: 'broken', error };
  }
}

async function parsedTwice({ subject: { kind }, options }: SourceTrial): Promise<void> {
  assert.deepEqual(kind.schema.parse(options), options);
  assert.deepEqual(kind.schema.parse(structuredClone(options)), options);
  assert.deepEqual(kind.places?.(options), kind.places?.(options));
  assert.ok(!kind.schema.safeParse({ 'no such key': 1 }).success, 'an unknown key is taken');
}

/** All that it claims is kept; what it doesn't claim is just what is expected. */
export async function proveSource(
  context: TestContext,
  subject: SourceSubject,
  notClaimed: readonly string[],
): Promise<void> {
  const results = await sourceConformance(subject);
  const broken = results.flatMap((result) =>
    result.outcome === 'broken' ? [`${result.name}: ${stackOf(result.error)}`] : [],
  );
  assert.equal(broken.length, 0, broken.join('\n'));
  const skipped = results.filter(({ outcome }) => outcome === 'not claimed').map(({ name }) => name);
  assert.deepEqual(skipped, notClaimed);
  const kept = results.length - skipped.length;
  prove(context, { claim: `the contract of sources: ${subject.name}`, count: `${kept} of ${results.length} promises` });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
