import { rawPath, rawPathOf, type RawPath } from '../../bytes/ids.ts';

/**
 * Puts variables in place of `$NAME` and `${NAME}` as Go's os.Expand does for restic's exclude files: an unknown one
 * is empty, `$$` is a dollar, `${` without an end and `${}` vanish, and a dollar before anything else stays.
 */
export function expandVariables(text: RawPath, variables: Readonly<Record<string, string | undefined>>): RawPath {
  const special = '[*#$@!?0-9-]';
  const reference = new RegExp(`\\$(?:\\{(${special})\\}|\\{([^}]*)\\}|(\\{)|(${special})|(\\w+))`, 'g');
  const expanded = text.replace(reference, (_all, ...groups: readonly (string | undefined)[]) => {
    const [bracedSpecial, braced, open, single, plain] = groups;
    if (open !== undefined) return '';
    const name = bracedSpecial ?? braced ?? single ?? plain ?? '';
    return name === '$' ? '$' : rawPathOf(variables[name] ?? '');
  });
  return rawPath(Buffer.from(expanded, 'latin1'));
}
