import type { CommandEnd, Sandbox } from '../../sandbox/sandbox.ts';
import { splitWords } from '../../secret/words.ts';
import type { BroughtUp, Rehearsal, RehearsedStep } from '../rehearsal.ts';
import { sizeAt } from '../size-at.ts';

/** `start`, `load` and `check` of a policy. */
export interface CommandSteps {
  readonly start?: string | undefined;
  readonly load?: string | undefined;
  readonly check?: string | undefined;
  /** Below the folder of what was restored. */
  readonly dump: string;
  readonly empty: 'allowed' | 'never';
}

/** A component whose policy says how it is loaded or checked; undefined where it says neither. */
export function rehearsalOf(steps: CommandSteps): Rehearsal | undefined {
  if (steps.load === undefined && steps.check === undefined && steps.start === undefined) return undefined;
  return {
    folder: steps.load === undefined ? 'restored' : 'empty',
    bringUp: async (sandbox, restored) => await bringUp(steps, sandbox, `${restored}/${steps.dump}`),
    ask: async (sandbox, brought) => await ask(steps, sandbox, brought),
  };
}

const succeeds = 'exit code 0';

async function bringUp(steps: CommandSteps, sandbox: Sandbox, dump: string): Promise<BroughtUp> {
  const content = await contentOf(dump, steps.empty);
  const started = await start(steps, sandbox, content);
  const loaded = await load(steps, sandbox, dump, started);
  return { steps: loaded, env: started.env };
}

async function contentOf(dump: string, empty: CommandSteps['empty']): Promise<readonly RehearsedStep[]> {
  const size = await sizeAt(dump);
  const expected = 'a dump with something in it';
  const missing = 'the snapshot holds none of this name: the policy may have changed since';
  if (size === undefined) return [{ name: 'dump', state: 'not run', expected, found: missing }];
  const state = size > 0 || empty === 'allowed' ? 'passed' : 'failed';
  return [{ name: 'dump', state, expected, found: `${size} bytes` }];
}

async function start({ start: line }: CommandSteps, sandbox: Sandbox, before: BroughtUp['steps']): Promise<BroughtUp> {
  if (line === undefined) return { steps: before, env: {} };
  if (!allPassed(before)) return { steps: [...before, notReached('start')], env: {} };
  const end = await sandbox.run({ words: splitWords(line), env: {} });
  const step = judgedStep('start', end);
  // It was not given the copy: whatever is wrong, the copy is not to blame.
  const innocent: RehearsedStep = step.state === 'failed' ? { ...step, state: 'not run' } : step;
  return { steps: [...before, innocent], env: end.kind === 'exited' ? toldOf(end.output) : {} };
}

async function load(
  { load: line }: CommandSteps,
  sandbox: Sandbox,
  dump: string,
  { steps, env }: BroughtUp,
): Promise<BroughtUp['steps']> {
  if (line === undefined) return steps;
  if (!allPassed(steps)) return [...steps, notReached('load')];
  return [...steps, judgedStep('load', await sandbox.run({ words: splitWords(line), input: dump, env }))];
}

async function ask({ check: line }: CommandSteps, sandbox: Sandbox, brought: BroughtUp): Promise<BroughtUp['steps']> {
  if (line === undefined) return [];
  if (!allPassed(brought.steps)) return [notReached('check')];
  return [judgedStep('check', await sandbox.run({ words: splitWords(line), env: brought.env }))];
}

function allPassed(steps: BroughtUp['steps']): boolean {
  return steps.every(({ state }) => state === 'passed');
}

function notReached(name: string): RehearsedStep {
  return { name, state: 'not run', expected: succeeds, found: 'a step before it has not passed' };
}

/** EX_TEMPFAIL: how a command says that it lacks something itself. */
const lacksSomething = 75;

function judgedStep(name: string, end: CommandEnd): RehearsedStep {
  if (end.kind === 'lacking') return { name, state: 'not run', expected: succeeds, found: end.reason };
  const { code, lastWords } = end;
  const words = lastWords.filter((line) => line !== '').slice(-5);
  const found = [`exit code ${code}`, ...words].join('; ');
  const state = code === 0 ? 'passed' : code === lacksSomething ? 'not run' : 'failed';
  return { name, state, expected: succeeds, found };
}

/** Lines such as `HOLDFAST_ENV PGPORT=5433` among whatever else is written. */
function toldOf(output: string): Readonly<Record<string, string>> {
  const lines = output.matchAll(/^HOLDFAST_ENV ([A-Za-z_][A-Za-z0-9_]*)=(.*)$/gm);
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
}
