/** What somebody asked for, by what it is: paths, patterns. */
export type Asked = Readonly<Record<string, readonly string[]>>;

/** Far less than a record may have. */
const mostCharacters = 8000;

/** What was asked for, as far as it fits; `left_out` tells how many more there were. */
export function bounded(asked: Asked): Readonly<Record<string, unknown>> {
  let [room, leftOut] = [mostCharacters, 0];
  const kept = Object.entries(asked).map(([key, texts]) => {
    const fitting = texts.filter((text) => (room -= text.length) >= 0);
    leftOut += texts.length - fitting.length;
    return [key, fitting] as const;
  });
  return { ...Object.fromEntries(kept), ...(leftOut === 0 ? {} : { left_out: leftOut }) };
}
