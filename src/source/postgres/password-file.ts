/** What a line of a password file is held against. */
export interface PasswordFor {
  /** 'localhost' for the usual sockets. */
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly user: string;
}

/**
 * The password of the first line that fits, as libpq reads it: `host:port:database:user:password`, where `*` is anything,
 * and a backslash takes its meaning from a colon or a backslash. https://www.postgresql.org/docs/18/libpq-pgpass.html
 */
export function passwordIn(text: string, { host, port, database, user }: PasswordFor): string | undefined {
  const wanted = [host, port, database, user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const [, ...fields] =
      /^((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):(.*)$/.exec(line) ?? [];
    const password = fields[4];
    if (password === undefined) continue;
    if (wanted.every((value, at) => fields[at] === '*' || plain(fields[at] ?? '') === value)) return plain(password);
  }
  return undefined;
}

function plain(text: string): string {
  return text.replaceAll(/\\(.)/g, '$1');
}
