/** Where in the file something stands. */
export interface Place {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Where in the file: `templates.web.backups`. */
  readonly path: Path;
}

export type Path = readonly (string | number)[];

export function pathText(path: Path): string {
  return path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`)).join('');
}
