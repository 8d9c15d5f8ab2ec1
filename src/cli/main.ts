import { systemClock } from '../clock/clock.ts';
import { codes } from '../errors/codes.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Note } from '../events/events.ts';
import { keepFromChildren } from '../host/own-environment.ts';
import { neverShowEnvironment } from '../secret/redact.ts';
import { arityOf } from './arity.ts';
import { parseArguments, splitCommand, type Environment } from './arguments.ts';
import type { Command, Runnable } from './command.ts';
import { allCommands, commandNames, findCommand, unsupportedCommands } from './commands.ts';
import { openConsole, type Console, type Verbosity } from './console.ts';
import type { Context } from './context.ts';
import { isOutputClosed, reportFailure, reportPartly } from './failure.ts';
import { globals, type Globals } from './globals.ts';
import { interruptible } from './interrupt.ts';
import { valuesOf, type Given } from './option.ts';

const ownKinds: Context['kinds'] = async () => (await import('../source/kinds.ts')).sourceKinds;
/** Variables for Holdfast alone: no program that it starts is given them. An address may hold a password. */
const ownSecrets = [
  ...['RESTIC_PASSWORD', 'RESTIC_FROM_PASSWORD', 'RESTIC_REST_PASSWORD', 'RESTIC_REPOSITORY', 'RESTIC_FROM_REPOSITORY'],
  ...['HOLDFAST_DELETE_SECRET_ACCESS_KEY', 'HOLDFAST_DELETE_SESSION_TOKEN'],
];

/** Runs one command line; resolves with the exit code. */
export async function main(
  argv: readonly string[],
  environment: Environment,
  kinds: Context['kinds'] = ownKinds,
): Promise<number> {
  const signal = interruptible();
  neverShowEnvironment(environment);
  keepFromChildren(ownSecrets);
  let failsWith: number | undefined;
  let console = openConsole(argv.includes('--json') ? 'json' : 'text', 1, { out: process.stdout, err: process.stderr });
  try {
    const { words, rest } = splitCommand(argv, globals, commandNames);
    if (words[0] === undefined || words[0] === 'help') return await help(rest, environment);
    const command = await findCommand(words);
    ({ failsWith } = command);
    const options = { ...globals, ...command.options };
    const { given, operands } = parseArguments(rest, options, environment);
    const values = valuesOf(globals, given);
    if (values.help) return await explain(command);
    console = openConsole(values.json ? 'json' : 'text', verbosityOf(values), {
      out: process.stdout,
      err: process.stderr,
    });
    checkArity(command, operands);
    const context = contextOf({ given, values, environment, console, signal, kinds });
    const code = await run(command, given, operands, context);
    if (code === 3) reportPartly(console, command.partlyMeans);
    return code;
  } catch (error) {
    const code = reportFailure(error, signal, console);
    return failsWith ?? code;
  }
}

/** What only prints ends without a word when nobody reads on, as a program that SIGPIPE stops. */
async function run(command: Runnable, given: Given, operands: readonly string[], context: Context): Promise<number> {
  try {
    return await command.start(given, operands, context);
  } catch (error) {
    if (command.output === 'its purpose' && isOutputClosed(context.signal)) return codes.interrupted.exit;
    throw error;
  }
}

/** `holdfast`, `holdfast --help`, `holdfast help COMMAND`. */
async function help(rest: readonly string[], environment: Environment): Promise<number> {
  const { operands } = parseArguments(rest, globals, environment);
  if (operands.length > 0) return explain(await findCommand(operands));
  const { overview } = await import('./help.ts');
  process.stdout.write(`${overview(await allCommands(), unsupportedCommands)}\n`);
  return 0;
}

async function explain(command: Command): Promise<number> {
  const { commandHelp } = await import('./help.ts');
  process.stdout.write(`${commandHelp(command)}\n`);
  return 0;
}

function checkArity({ name, operands }: Command, given: readonly string[]): void {
  const arity = arityOf(operands);
  const usage = `holdfast ${name} ${operands}`.trimEnd();
  if (given.length > arity.most)
    throw new HoldfastError(
      'usage',
      `${name}: ${JSON.stringify(given[arity.most])} is one argument too many: ${usage}`,
    );
  if (given.length < arity.least) throw new HoldfastError('usage', `${name}: an argument is missing: ${usage}`);
}

function verbosityOf({ quiet, verbose }: Globals): Verbosity {
  if (quiet && verbose > 0) throw new HoldfastError('usage', '--quiet and --verbose can’t stand together');
  if (quiet) return 0;
  return verbose >= 2 ? 3 : verbose === 1 ? 2 : 1;
}

interface Parts {
  readonly given: Given;
  readonly values: Globals;
  readonly environment: Environment;
  readonly console: Console;
  readonly signal: AbortSignal;
  readonly kinds: Context['kinds'];
}

function contextOf({ given, values, console, ...parts }: Parts): Context {
  const listener: Context['listener'] = (event) => {
    if (event.kind === 'note' && event.name === 'storage-retry') tellRetry(console, event.data);
    if (event.kind !== 'warning') return;
    const record = { message_type: 'error', error: { message: event.message }, during: event.during, item: event.item };
    console.complain(`warning: ${event.item}: ${event.message}`, record);
  };
  return { ...parts, globals: values, given, console, clock: systemClock, listener };
}

/** Who waits is to know for what. */
function tellRetry(console: Console, { what, pauseMs, error }: Note['data']): void {
  if (console.verbosity === 0) return;
  const line = `${String(what)} failed, trying again in ${(Number(pauseMs) / 1000).toFixed(1)} s: ${String(error)}`;
  console.complain(line, { message_type: 'retry', what, pause_ms: pauseMs, error });
}
