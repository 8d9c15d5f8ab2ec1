/** The cells of every table row of a Markdown page, without header and rule rows. */
export function tableCells(page: string): readonly (readonly string[])[] {
  const rows = page.split('\n').map((line) => (line.startsWith('|') ? cells(line) : undefined));
  return rows.flatMap((row, index) => {
    const next = rows[index + 1];
    return row === undefined || isRule(row) || (next !== undefined && isRule(next)) ? [] : [row];
  });
}

function cells(line: string): readonly string[] {
  const [, ...parts] = line.split(/(?<!\\)\|/);
  return parts.slice(0, -1).map((part) => part.trim().replaceAll('\\|', '|'));
}

function isRule(row: readonly string[]): boolean {
  return row.every((cell) => /^:?-+:?$/.test(cell));
}
