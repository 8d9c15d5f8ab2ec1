import { HoldfastError } from '../../errors/error.ts';
import type { Context } from '../context.ts';
import { restoreWay, type RestoreValues } from '../restore-way.ts';
import { checkNamed } from './moment-words.ts';

/** Whatever the command line alone can tell. */
export function checkRestore(values: RestoreValues, context: Pick<Context, 'given'>): void {
  const given = Object.keys(values).filter((key) => context.given(key).origin === 'flag');
  restoreWay(values, given);
  if (values.includeXattr.length > 0 && values.excludeXattr.length > 0)
    throw new HoldfastError('usage', '--include-xattr and --exclude-xattr can’t stand together');
  movedBy(values.tablespace);
  checkNamed(values);
}

/** `--tablespace OLD=NEW`, each as often as it is given. */
export function movedBy(words: readonly string[]): readonly { readonly from: string; readonly to: string }[] {
  return words.map((word) => {
    const [from = '', to = '', ...more] = word.split('=');
    if (from !== '' && to.startsWith('/') && more.length === 0) return { from, to };
    throw new HoldfastError(
      'usage',
      `--tablespace: ${JSON.stringify(word)} is not OLD=NEW, with an absolute path for NEW`,
    );
  });
}
