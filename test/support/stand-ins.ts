import { mkdir, writeFile } from 'node:fs/promises';

export const clients = '/usr/lib/postgresql/15/bin';

/** Clients that do something else than PostgreSQL's own, which they find in $REAL. */
export async function standIns(folder: string, scripts: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(folder);
  for (const name of ['pg_dump', 'pg_dumpall', 'pg_restore', 'psql']) {
    const script = scripts[name] ?? 'exec "$REAL" "$@"';
    const text = `#!/bin/sh\nREAL=${clients}/${name}\n[ "$1" = --version ] && exec "$REAL" "$@"\n${script}\n`;
    await writeFile(`${folder}/${name}`, text, { mode: 0o755 });
  }
  return folder;
}
