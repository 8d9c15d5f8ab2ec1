import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { openSandbox, type Sandbox, type SandboxLimits } from '../../sandbox/sandbox.ts';
import { splitWords } from '../../secret/words.ts';
import type { BroughtUp, Depth, Question, Rehearsal } from '../../source/rehearsal.ts';
import type { JobContext } from '../job.ts';
import type { Stages } from '../../objective/forecast.ts';
import type { CheckResult } from '../verification.ts';
import { expectationOf, expectsNothing, judgedText, type Check } from './expectation.ts';

export interface Inside {
  /** Only the whole of a component can be brought up. */
  readonly extent: 'whole' | 'part';
  readonly rehearsal: Rehearsal | undefined;
  readonly depth: Depth;
  /** Those that need a sandbox. */
  readonly checks: readonly Check[];
  /** A folder of ours alone. */
  readonly scratch: string;
  /** Where in it the component was restored to. */
  readonly restored: string;
  readonly hidden: readonly string[];
  /** Beside the programs that the rehearsal names. */
  readonly visible: readonly string[];
  readonly limits: SandboxLimits;
  readonly context: JobContext;
}

export interface SeenInside {
  readonly checks: readonly CheckResult[];
  readonly stages: Pick<Stages, 'start' | 'check'>;
}

const partial = 'a sample of a component can’t be brought up';

export function needsSandbox({ command, http, sql, orphans, counts }: Check): boolean {
  return [command, http, sql, orphans, counts].some((one) => one !== undefined);
}

/** Brings the component up in a sandbox and asks it. Without a sandbox nothing of it is run anywhere. */
export async function lookInside(inside: Inside): Promise<SeenInside> {
  const { checks, context, extent } = inside;
  const nothing = { start: 0, check: 0 };
  if (extent === 'part') return { checks: checks.map((check) => notRun(check, partial)), stages: nothing };
  const { rehearsal } = inside;
  if (rehearsal === undefined && checks.length === 0) return { checks: [], stages: nothing };
  const begunMs = context.clock.monotonicMs();
  const secondsSince = (fromMs: number): number => (context.clock.monotonicMs() - fromMs) / 1000;
  try {
    await using sandbox = await opened(inside);
    const brought = (await rehearsal?.bringUp(sandbox, inside.restored, context.signal)) ?? { steps: [], env: {} };
    const start = secondsSince(begunMs);
    const askedMs = context.clock.monotonicMs();
    const own = (await rehearsal?.ask(sandbox, brought, inside.depth)) ?? [];
    const others = await askAll(checks, sandbox, brought, context);
    const results = [isolation(sandbox), ...brought.steps, ...own, ...others];
    return { checks: results, stages: { start, check: secondsSince(askedMs) } };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof HoldfastError)) throw error;
    const lacking: CheckResult = { name: 'sandbox', state: 'not run', expected: isolated, found: error.message };
    const found = 'there is no sandbox';
    const unasked = checks.map((check) => notRun(check, found));
    return { checks: [lacking, ...unasked], stages: { start: secondsSince(begunMs), check: 0 } };
  }
}

const isolated = 'isolation, with limits of memory, disk and time';

function isolation({ notes }: Sandbox): CheckResult {
  const found = notes.length === 0 ? 'all of it' : `isolation; ${notes.join('; ')}`;
  return { name: 'sandbox', state: 'passed', expected: isolated, found };
}

async function opened({ rehearsal, scratch, restored, hidden, visible, limits, context }: Inside): Promise<Sandbox> {
  const empty = join(scratch, 'work');
  await mkdir(empty, { mode: 0o755 });
  const folder = rehearsal?.folder === 'empty' ? empty : restored;
  const { clock, signal } = context;
  const programs = (await rehearsal?.programs?.(restored, signal)) ?? [];
  return await openSandbox({ folder, hidden, visible: [...visible, ...programs], limits, clock, signal });
}

async function askAll(
  checks: readonly Check[],
  sandbox: Sandbox,
  brought: BroughtUp,
  context: JobContext,
): Promise<readonly CheckResult[]> {
  if (brought.steps.some(({ state }) => state !== 'passed'))
    return checks.map((check) => notRun(check, 'the component did not come up'));
  const results: CheckResult[] = [];
  for (const check of checks) results.push(await ask(check, sandbox, brought, context));
  return results;
}

async function ask(
  check: Check,
  sandbox: Sandbox,
  { env, answer }: BroughtUp,
  { clock }: JobContext,
): Promise<CheckResult> {
  if (check.http !== undefined) return await askWeb(check, check.http, sandbox, env, clock);
  const question = questionOf(check);
  if (question !== undefined) return await askDatabase(check, question, answer, clock);
  if (check.command === undefined) return notRun(check, 'no driver of this version can ask it');
  const end = await sandbox.run({ words: splitWords(check.command), env });
  if (end.kind === 'lacking') return notRun(check, end.reason);
  if (end.code === 75) return notRun(check, `exit code 75: it lacks something itself; ${end.lastWords.join('; ')}`);
  const code = `exit code ${end.code}`;
  if (end.code !== 0 || expectsNothing(check)) {
    const state = end.code === 0 ? 'passed' : 'failed';
    const found = [code, ...end.lastWords.filter((line) => line !== '').slice(-5)].join('; ');
    return { name: check.name, state, expected: expectationOf(check), found };
  }
  return judgedText(check, end.output, clock);
}

function questionOf({ sql, orphans, counts, database }: Check): Question | undefined {
  if (sql !== undefined) return { kind: 'sql', text: sql, database };
  if (orphans !== undefined) return { kind: 'orphans', ...orphans, database };
  return counts === undefined ? undefined : { kind: 'counts', ...counts, database };
}

async function askDatabase(
  check: Check,
  question: Question,
  answer: BroughtUp['answer'],
  clock: JobContext['clock'],
): Promise<CheckResult> {
  if (answer === undefined) return notRun(check, 'no driver of this version can ask it');
  const said = await answer(question);
  const { name } = check;
  switch (said.kind) {
    case 'value':
      return judgedText(check, said.text, clock);
    case 'judged':
      return { name, state: said.state, expected: said.expected, found: said.found };
    case 'lacking':
      return notRun(check, said.reason);
    case 'nothing':
      return { name, state: 'failed', expected: expectationOf(check), found: said.what };
    case 'refused':
      return { name, state: 'failed', expected: expectationOf(check), found: said.reason };
  }
}

async function askWeb(
  check: Check,
  address: string,
  sandbox: Sandbox,
  env: BroughtUp['env'],
  clock: JobContext['clock'],
): Promise<CheckResult> {
  const url = URL.parse(address, env['HOLDFAST_URL']);
  if (url === null)
    return notRun(check, `${address} needs an address before it: start prints it, HOLDFAST_ENV HOLDFAST_URL=http://…`);
  const answer = await sandbox.get(url.href);
  if (answer.kind === 'lacking') return notRun(check, `no answer: ${answer.reason}`);
  const isGood = answer.status >= 200 && answer.status < 300;
  if (isGood && !expectsNothing(check)) return judgedText(check, answer.body, clock);
  const expected = expectsNothing(check) ? 'an answer of status 2xx' : expectationOf(check);
  return { name: check.name, state: isGood ? 'passed' : 'failed', expected, found: `status ${answer.status}` };
}

function notRun(check: Check, found: string): CheckResult {
  return { name: check.name, state: 'not run', expected: expectationOf(check), found };
}
