import type { RawPath } from '../bytes/ids.ts';
import { patternsOfExcludeFile } from '../source/lists.ts';
import type { Environment } from './arguments.ts';
import { rawArgument } from './raw-argument.ts';
import { filesGiven } from './text-file.ts';

/** Patterns of an option, then those of the files that its other form names. */
export async function patternsOf(
  given: readonly string[],
  files: readonly string[],
  label: string,
  environment: Environment,
): Promise<readonly RawPath[]> {
  const contents = await filesGiven(files, label);
  return [...given.map(rawArgument), ...contents.flatMap((content) => patternsOfExcludeFile(content, environment))];
}
