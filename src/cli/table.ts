/** Columns of text for people: a header, a rule, rows whose cells may have several lines, a footer. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly (string | readonly string[])[])[];
  readonly footer?: string;
  /** Numbers of columns that stand to the right. */
  readonly right?: readonly number[];
}

export function tableLines({ header, rows, footer, right = [] }: Table): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? [cell] : cell)));
  const widths = header.map((title, column) => {
    const lines = cells.flatMap((row) => row[column] ?? []);
    return Math.max(displayWidth(title), ...lines.map(displayWidth));
  });
  const line = (texts: readonly string[]): string =>
    widths
      .map((width, column) => padded(texts[column] ?? '', width, right.includes(column)))
      .join('  ')
      .trimEnd();
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  const body = cells.flatMap((row) => {
    const height = Math.max(1, ...row.map((cell) => cell.length));
    return Array.from({ length: height }, (_, at) => line(row.map((cell) => cell[at] ?? '')));
  });
  return [line(header), rule, ...body, ...(footer === undefined ? [] : [rule, footer])];
}

function padded(text: string, width: number, toTheRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return toTheRight ? space + text : text + space;
}

/** Cells that the text takes on a terminal; East Asian letters and emoji take two. */
function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return Array.from(text).reduce<number>((sum, char) => sum + (/\p{M}/u.test(char) ? 0 : wide.test(char) ? 2 : 1), 0);
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
