import type { RehearsedStep } from '../../rehearsal.ts';
import type { ServerConnection } from '../connect.ts';
import type { SandboxedServer } from '../sandboxed-server.ts';
import { inEach, type Databases } from './databases.ts';
import { firstOf, stepOf } from './step.ts';

const about = { name: 'libraries', expected: 'every library that the copy’s functions are in' } as const;

/** Functions whose library isn't here, with the extension that they are of: the first that is called would fail. */
const used = `select distinct probin, coalesce(extname, '')
  from pg_proc
  left join pg_depend on pg_depend.classid = 'pg_proc'::regclass and pg_depend.objid = pg_proc.oid and deptype = 'e'
  left join pg_extension on pg_depend.refclassid = 'pg_extension'::regclass and refobjid = pg_extension.oid
  where probin is not null and prolang = (select oid from pg_language where lanname = 'c') order by 1, 2`;

const folder = "select setting from pg_config where name = 'PKGLIBDIR'";

/** A copy needs what production has installed; where this host lacks it nothing is known of the copy. */
export async function findLibraries(server: SandboxedServer, databases: Databases): Promise<RehearsedStep> {
  return await stepOf(server, about, async () => {
    const lacking = new Set((await inEach(server, databases, lackingIn)).flat());
    if (lacking.size === 0) return { state: 'passed', found: 'they are there' };
    const where = `the packages of PostgreSQL ${server.description.major} that production has must be installed here too`;
    return { state: 'not run', found: `${firstOf([...lacking])}; ${where}` };
  });
}

async function lackingIn(connection: ServerConnection): Promise<readonly string[]> {
  const [[place] = []] = await connection.rows(folder);
  const lacking: string[] = [];
  for (const [library, extension] of await connection.rows(used)) {
    const name = (library ?? '').replace('$libdir', place ?? '').replace(/(?:\.so)?$/, '.so');
    const path = name.startsWith('/') ? name : `${place}/${name}`;
    const [[size] = []] = await connection.rows('select (pg_stat_file($1, true)).size', [path]);
    if (size === null) lacking.push(described(library ?? '', extension ?? ''));
  }
  return lacking;
}

function described(library: string, extension: string): string {
  return extension === '' ? `the library ${library}` : `the library ${library} of the extension ${extension}`;
}
