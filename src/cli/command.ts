import type { Context } from './context.ts';
import { valuesOf, type Given, type Options, type Values } from './option.ts';
import { assertHeeded, type By, type Ways, type WorksOn } from './ways.ts';

/**
 * A command as data. From this one definition come its flags, their environment variables, its help, its completion
 * and its page in the docs. The code that runs it is bound to it in `commands.ts` and loaded only when it runs, so that
 * a command which needs no repository answers at once.
 */
export interface Command<O extends Options = Options> {
  /** One word, or two (`key add`). */
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What follows the options: `PATH…`, `SNAPSHOT FILE`; '' when nothing may. How many may stand there follows from it. */
  readonly operands: string;
  /** Shown first by --help: a command line and what it does. */
  readonly examples: readonly Example[];
  /** Paragraphs below the examples. */
  readonly about?: readonly string[];
  readonly options: O;
  readonly worksOn: WorksOn;
  /** Where it does several things: an option that one of them has no use for is refused there by name. */
  readonly ways?: Ways<O>;
  /** Throws 'usage' for whatever the command line alone can tell: nothing is opened before. */
  check?(invocation: Invocation<O>, context: Context, by: By): void | Promise<void>;
  /** Its output is all that it is for: when nobody reads on (`| head`), it ends without a word. */
  readonly output?: 'its purpose';
  /** What exit code 3 says of it, where that isn't that something was done in part. */
  readonly partlyMeans?: string;
  /** The exit code of whatever goes wrong, for whoever runs it reads others otherwise. */
  readonly failsWith?: number;
}

export interface Example {
  readonly line: string;
  readonly does: string;
}

/** Parses what the options mean, runs the job, renders its outcome; resolves with the exit code. */
export type Run<O extends Options> = (invocation: Invocation<O>, context: Context) => Promise<number>;

export interface Invocation<O extends Options> {
  readonly values: Values<O>;
  readonly operands: readonly string[];
}

/** A command that can be run by who doesn't know its options. */
export interface Runnable extends Command {
  readonly start: (given: Given, operands: readonly string[], context: Context) => Promise<number>;
}

/** States a definition; its options keep their own types. */
export function command<const O extends Options>(definition: Command<O>): Command<O> {
  return definition;
}

/** Ties a definition to the code that runs it: the types of both must agree. */
export function runnable<const O extends Options>(
  definition: Command<O>,
  load: (context: Context, operands: readonly string[], by: By) => Promise<Run<O>>,
): Runnable {
  return {
    ...definition,
    start: async (given, operands, context) => {
      const values = valuesOf(definition.options, given);
      const by = await assertHeeded(definition, values, context);
      await definition.check?.({ values, operands }, context, by);
      const run = await load(context, operands, by);
      return await run({ values, operands }, context);
    },
  };
}
