import { HoldfastError } from '../../errors/error.ts';
import { probeComponents, type LackingOf } from '../../job/probe.ts';
import { pathText } from '../../policy/path.ts';
import { explained, type ExplainedLine } from '../../policy/explain.ts';
import { jsonSchema } from '../../policy/json-schema.ts';
import type { Policy } from '../../policy/policy.ts';
import { problemLine, type Problem } from '../../policy/problem.ts';
import { referenceOf, secretsOf } from '../../policy/secrets.ts';
import { readSecret } from '../../secret/secret.ts';
import type { Run } from '../command.ts';
import type { configCheck, configExplain, configSchema } from '../commands/config.ts';
import { componentsMeant } from '../components/context.ts';
import type { Context } from '../context.ts';
import { quoteForTerminal } from '../format.ts';
import { secretsIn } from '../policy-place.ts';
import { policyFile, type PolicyFile } from '../policy-file.ts';

/** Exit code 2 where the file is refused; 1 where it holds and a secret can't be read. */
export const check: Run<typeof configCheck.options> = async (_invocation, context) => {
  const found = await policyFile(context);
  const { policy } = found;
  const unreadable = policy === undefined ? [] : await unreadableSecrets(policy, context);
  const lacking =
    policy === undefined
      ? []
      : await probeComponents({
          ...context,
          policy,
          kinds: await context.kinds(),
          readSecret: secretsIn(context),
        });
  if (context.console.form === 'json') context.console.record(checkRecord(found, { unreadable, lacking }));
  else tell(found, { unreadable, lacking }, context);
  if (found.policy === undefined) return 2;
  return unreadable.length === 0 ? 0 : 1;
};

interface Unreadable {
  readonly path: string;
  /** Names the place, never what is there. */
  readonly reason: string;
}

/** What the world adds to a file that holds; none of it refuses the policy. */
interface Facts {
  readonly unreadable: readonly Unreadable[];
  readonly lacking: readonly LackingOf[];
}

async function unreadableSecrets(policy: Policy, context: Context): Promise<readonly Unreadable[]> {
  const found: Unreadable[] = [];
  for (const { path, secret } of secretsOf(policy)) {
    try {
      await readSecret(referenceOf(secret, context.environment), context.signal);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof HoldfastError)) throw error;
      found.push({ path: pathText(path), reason: error.message });
    }
  }
  return found;
}

function tell({ file, policy, problems }: PolicyFile, { unreadable, lacking }: Facts, { console }: Context): void {
  for (const problem of problems) console.say(problemLine(file, problem), 0);
  for (const { path, reason } of unreadable) console.say(`${file}: ${path} can’t be had: ${reason}`, 0);
  for (const { component, what, reason } of lacking)
    console.say(`${file}: components.${component}: warning: ${quoteForTerminal(what)}: ${reason}`, 0);
  const warnings = problems.filter(({ severity }) => severity === 'warning').length + lacking.length;
  const told = count(warnings, 'warning');
  const refusals = count(problems.filter(({ severity }) => severity === 'error').length, 'error');
  const held = policy && `${count(Object.keys(policy.components).length, 'component')}, ${told}`;
  console.say(held === undefined ? `${file} is refused: ${refusals}` : `${file} holds: ${held}`);
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function checkRecord({ file, policy, problems }: PolicyFile, { unreadable, lacking }: Facts): unknown {
  return {
    message_type: 'policy_check',
    file,
    holds: policy !== undefined,
    components: policy === undefined ? [] : Object.keys(policy.components),
    problems: problems.map(problemRecord),
    unreadable_secrets: unreadable,
    lacking,
  };
}

function problemRecord({ severity, place, message, nearest, example }: Problem): unknown {
  return { severity, path: pathText(place.path), line: place.line, column: place.column, message, nearest, example };
}

export const explain: Run<typeof configExplain.options> = async ({ operands }, context) => {
  const { file, root, policy, problems } = await policyFile(context);
  if (root === undefined || policy === undefined) {
    for (const problem of problems) context.console.complain(problemLine(file, problem), problemRecord(problem));
    throw new HoldfastError('policy-refused', `the policy ${file} is refused`);
  }
  const kinds = await context.kinds();
  const names = componentsMeant(policy, operands, operands.length === 0);
  for (const name of names) {
    const lines = explained(root, name, kinds);
    if (lines === undefined) throw new HoldfastError('usage', `${file} has no component ${JSON.stringify(name)}`);
    if (context.console.form === 'json') context.console.record({ message_type: 'explained', component: name, lines });
    else for (const line of aligned(lines)) context.console.say(line, 0);
  }
  return 0;
};

function aligned(lines: readonly ExplainedLine[]): readonly string[] {
  const width = Math.min(60, Math.max(...lines.map(({ yaml }) => yaml.length)));
  return lines.map(({ yaml, origin }) => (origin === '' ? yaml : `${yaml.padEnd(width)}  # ${origin}`));
}

export const schema: Run<typeof configSchema.options> = async (_invocation, { console, kinds }) => {
  await console.raw(Buffer.from(`${JSON.stringify(jsonSchema(await kinds()), undefined, 2)}\n`));
  return 0;
};
