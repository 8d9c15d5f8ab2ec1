import { pathText, type Place } from './path.ts';

/**
 * What is wrong with a policy file, and where. An 'error' refuses the file; a 'warning' is told; what is 'not-built' is
 * understood and will have an effect in a later version only.
 */
export interface Problem {
  readonly severity: 'error' | 'warning' | 'not-built';
  readonly place: Place;
  /** Without secrets: the values of the file are quoted only where they are no secret's place. */
  readonly message: string;
  /** The known word that an unknown one most likely meant. */
  readonly nearest?: string | undefined;
  /** A right one, for the same place. */
  readonly example?: string | undefined;
}

/** `holdfast.yaml:12:5: components.shop-db.tire: unknown key; did you mean "tier"? Example: …` */
export function problemLine(file: string, { severity, place, message, nearest, example }: Problem): string {
  const where = place.path.length === 0 ? '' : `${pathText(place.path)}: `;
  const kind = { 'error': '', 'warning': 'warning: ', 'not-built': 'not built yet: ' }[severity];
  const guess = nearest === undefined ? '' : `; did you mean ${JSON.stringify(nearest)}?`;
  const shown = example === undefined ? '' : ` Example: ${example}`;
  return `${file}:${place.line}:${place.column}: ${kind}${where}${message}${guess}${shown}`;
}

/** In the order of the file, each once: what templates bring to several components is said where it stands. */
export function sortedProblems(problems: readonly Problem[]): readonly Problem[] {
  const each = new Map(problems.map((one) => [`${one.place.line}:${one.place.column}:${one.message}`, one]));
  return [...each.values()].toSorted((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
}
