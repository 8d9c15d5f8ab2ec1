import { createReadStream, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pipeline } from 'node:stream/promises';

/**
 * A SQLite database as a component of a policy:
 *
 *   dump FILE   prints a consistent copy of the database, while others write to it
 *   start       in the sandbox: says where the new database will stand
 *   load        takes a dump on standard input; an exit code of 1 accuses it
 *   check       nothing refers to what isn't there
 *   ask SQL     prints the first value of a query, for the checks of a verification
 *
 * To bring a live database back: `SQLITE_DATABASE=/srv/shop.db sqlite-component load < the-restored-dump`.
 */
const [verb = '', argument = ''] = process.argv.slice(2);
const database = process.env['SQLITE_DATABASE'] ?? '';

/** @type {Readonly<Record<string, () => Promise<void>>>} */
const verbs = {
  dump: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sqlite-dump-'));
    const copy = join(folder, 'copy');
    try {
      using live = new DatabaseSync(argument, { readOnly: true });
      live.prepare('VACUUM INTO ?').run(copy);
      await pipeline(createReadStream(copy), process.stdout);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  start: async () => console.log(`HOLDFAST_ENV SQLITE_DATABASE=${process.cwd()}/loaded.db`),
  load: async () => {
    if (existsSync(database)) throw new Error(`${database} is there already: move it aside first`);
    writeFileSync(database, Buffer.concat(await process.stdin.toArray()), { mode: 0o600 });
    for (const line of await answers('PRAGMA integrity_check')) if (line !== 'ok') throw new Error(line);
  },
  check: async () => {
    const tables = await answers("select name from sqlite_schema where type = 'table'");
    if (tables.length === 0) throw new Error('it holds no table');
    const [missing] = await answers('PRAGMA foreign_key_check');
    if (missing !== undefined) throw new Error(`${missing} refers to a row that isn’t there`);
  },
  ask: async () => console.log((await answers(argument))[0] ?? ''),
};

/**
 * The first column of each row.
 * @param {string} sql
 */
async function answers(sql) {
  using opened = new DatabaseSync(database, { readOnly: true });
  return opened
    .prepare(sql)
    .all()
    .map((row) => String(Object.values(row)[0]));
}

try {
  const { [verb]: run } = verbs;
  if (run === undefined) throw new Error(`usage: sqlite-component ${Object.keys(verbs).join('|')}`);
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  // A system call that failed (a full disk, a missing right) says nothing of the dump: 75 accuses nobody.
  process.exitCode = error instanceof Error && 'syscall' in error ? 75 : 1;
}
