import type { RawPath } from '../../bytes/ids.ts';
import { cleanPath, isAbsolutePath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Invocation } from '../command.ts';
import type { lsOptions } from '../commands/ls.ts';
import type { Context } from '../context.ts';
import { rawArgument } from '../raw-argument.ts';

export function checkLs({ values, operands }: Invocation<typeof lsOptions>, { console: { form } }: Context): void {
  const { ncdu, reverse, sort = 'name' } = values;
  if (ncdu && (form !== 'text' || reverse || sort !== 'name'))
    throw new HoldfastError(
      'usage',
      'ls: --ncdu has a form and an order of its own: leave --json, --sort and --reverse out',
    );
  foldersOf(operands);
}

/** Those behind the snapshot, or the component. */
export function foldersOf([, ...folders]: readonly string[]): readonly RawPath[] {
  return folders.map((text) => {
    const path = rawArgument(text);
    if (!isAbsolutePath(path)) throw new HoldfastError('usage', `ls: ${text} is not absolute: folders begin with /`);
    return cleanPath(path);
  });
}
