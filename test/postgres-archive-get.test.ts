import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { restoreCommand } from '../src/source/postgres/setup/commands.ts';
import { asServer } from './servers/postgres-user.ts';
import { startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import { archivingScene, until, type ArchivingScene } from './support/archiving-scene.ts';
import { testAtMajors } from './support/at-majors.ts';
import { runOk, runProgram } from './support/run-program.ts';

const skip = withoutPostgresVersions();
const log = 'to: { near: { window: 14d }, far: { window: 14d } }';

/** A segment as the server wrote it, put into a place by hand. */
async function put(scene: ArchivingScene, repository: string, name: string): Promise<Buffer> {
  const bytes = await readFile(join(scene.server.data, 'pg_wal', name));
  await scene.withStore(repository, async (store) => await store.put(scene.extent(name), bytes, { facts: {} }));
  await scene.ownRepositories();
  return bytes;
}

testAtMajors(
  'a segment is delivered from whichever place has it, out of its pieces where it is still written, or proven absent',
  { sample: '18', skip },
  async (major) => {
    await using scene = await archivingScene({ major, log, archiving: 'by nobody' });
    const first = await scene.switchLog();
    const second = await scene.switchLog();
    const target = join(scene.server.data, 'pg_wal/RECOVERYXLOG');
    const get = async (name: string) =>
      await scene.run('postgres', 'archive-get', 'shop-db', name, 'pg_wal/RECOVERYXLOG');
    const bytes = await put(scene, 'far', first);
    assert.equal((await get(first)).code, 0);
    assert.ok((await readFile(target)).equals(bytes));
    await rm(target);

    const open = await readFile(join(scene.server.data, 'pg_wal', second));
    const segment = scene.extent(second);
    for (const [repository, from, to] of [
      ['near', 0, 10_000],
      ['far', 10_000, 30_000],
      ['far', 50_000, 60_000],
    ] as const)
      await scene.withStore(repository, async (store) => {
        const at = (offset: number): bigint => segment.from + BigInt(offset);
        await store.putPiece({ segment, from: at(from), to: at(to) }, open.subarray(from, to));
      });
    await scene.ownRepositories();
    const pieced = await get(second);
    assert.equal(pieced.code, 0, pieced.stderr);
    const expected = Buffer.alloc(open.length);
    open.copy(expected, 0, 0, 30_000);
    assert.ok((await readFile(target)).equals(expected), 'as far as they join, with zeros behind');
    await rm(target);

    for (const name of ['000000010000000000000070', '00000002.history', '000000020000000000000001'])
      assert.equal((await get(name)).code, 44);
    await assert.rejects(readFile(target), { code: 'ENOENT' });
    const history = { epoch: 2, parent: 1, forkedAt: segment.from, bytes: Buffer.from('1\t0/2000000\tno reason\n') };
    await scene.withStore('near', async (store) => await store.putHistory(history));
    await scene.ownRepositories();
    assert.equal((await get('00000002.history')).code, 0);
    assert.equal(await readFile(target, 'utf8'), '1\t0/2000000\tno reason\n');
  },
);

testAtMajors(
  'the shell that a server runs ends a recovery by each fault, and never takes one for the end of the log',
  { sample: '18', skip },
  async (major) => {
    await using scene = await archivingScene({ major, log, archiving: 'by nobody' });
    const first = await scene.switchLog();
    await put(scene, 'near', first);
    const { dir, server } = scene;
    const options = ['--config', dir.file('holdfast.yaml'), '--state-dir', dir.file('state')];
    const shell = (path: string, more: readonly string[] = []): string =>
      restoreCommand('shop-db', { stateFolder: dir.file('state'), program: { path, options: [...options, ...more] } });
    const asked = async (command: string, name: string): Promise<number | null> => {
      const [as, ...words] = asServer([
        'sh',
        '-c',
        command.replaceAll('%f', name).replaceAll('%p', 'pg_wal/RECOVERYXLOG'),
      ]);
      return (await runProgram(as, words, { env: { PATH: process.env['PATH'] ?? '' }, cwd: server.data })).code;
    };
    const absent = '000000010000000000000070';
    assert.equal(await asked(shell(scene.program), first), 0);
    assert.equal(await asked(shell(scene.program), absent), 1);

    const faulty = async (name: string, text: string): Promise<string> => {
      await writeFile(dir.file(name), `#!/bin/sh\n${text}\n`);
      await chmod(dir.file(name), 0o755);
      return dir.file(name);
    };
    const node = `exec '${process.execPath}'`;
    const faults: Readonly<Record<string, string>> = {
      'throws at its start': shell(await faulty('throws', `${node} -e 'throw new Error("at start")'`)),
      'is missing': shell(dir.file('missing')),
      'is given a bad flag': shell(scene.program, ['--no-such-flag']),
      'is killed': shell(await faulty('killed', 'kill -9 $$')),
      'waits for what never settles': shell(
        await faulty('unsettled', `${node} --input-type=module -e 'await new Promise(() => {})'`),
      ),
      'ends with the code of a full disk': shell(await faulty('full', 'exit 1')),
    };
    for (const [what, command] of Object.entries(faults)) assert.equal(await asked(command, absent), 200, what);

    const ending = shell(await faulty('ending', `exit $(cat '${dir.file('code')}')`));
    /** As the shell takes it: the code that the program ends with. */
    const answered = async (name: string): Promise<number | null> => {
      const { code } = await scene.run('postgres', 'archive-get', 'shop-db', name, 'pg_wal/RECOVERYXLOG');
      await writeFile(dir.file('code'), String(code));
      return await asked(ending, name);
    };
    assert.equal(await answered(absent), 1, 'by the command as by the shell');
    const under = async (what: string, spoil: () => Promise<void>, mend: () => Promise<void>): Promise<void> => {
      await spoil();
      assert.equal(await answered(absent), 200, what);
      await mend();
    };
    const moved = (name: string) => ({
      away: async () => await rename(dir.file(name), dir.file(`${name}-away`)),
      back: async () => await rename(dir.file(`${name}-away`), dir.file(name)),
    });
    for (const name of ['far', 'holdfast.yaml', 'password'])
      await under(`${name} is away`, moved(name).away, moved(name).back);
    const password = async (text: string): Promise<void> => await writeFile(dir.file('password'), text);
    await under(
      'the password is wrong',
      async () => await password('wrong'),
      async () => await password('secret'),
    );
    const path = join(server.data, 'global/pg_control');
    await under(
      'there is no pg_control',
      async () => await rename(path, dir.file('control')),
      async () => await rename(dir.file('control'), path),
    );
    const target = join(server.data, 'pg_wal/RECOVERYXLOG');
    await rm(target, { force: true });
    await mkdir(target);
    assert.equal(await answered(first), 200, 'the target can’t be written');
    await rm(target, { recursive: true });
    assert.equal(await asked(shell(scene.program), absent), 1, 'all is mended');
  },
);

testAtMajors(
  'a server recovers to the end of the log by the command, most of it fetched ahead, and what was fetched in vain is gone',
  { sample: '18', skip },
  async (major) => {
    await using scene = await archivingScene({ major, log: 'to: { near: { window: 14d } }' });
    const { dir, server } = scene;
    await server.stop();
    const copied = `${server.data}-copy`;
    await runOk('cp', ['-a', server.data, copied]);
    await using production = await scene.restart();
    await production.sql('create table orders (id int, what text)');
    await production.sql(
      `do $$ begin for n in 1..80 loop insert into orders select n, repeat(md5(random()::text), 30) from generate_series(1, 300);
       commit; end loop; end $$`,
    );
    await production.sql('select pg_switch_wal()');
    await until('everything is archived', async () => (await scene.ready()).length === 0);
    const [segments = '0'] = await production.sql('select archived_count from pg_stat_archiver');
    const counting = dir.file('counting');
    await writeFile(counting, `#!/bin/sh\necho "$*" >> ${dir.file('asked')}\nexec '${scene.program}' "$@"\n`);
    await chmod(counting, 0o755);
    const options = ['--config', dir.file('holdfast.yaml'), '--state-dir', dir.file('state')];
    const command = restoreCommand('shop-db', { stateFolder: dir.file('state'), program: { path: counting, options } });
    await writeFile(join(copied, 'recovery.signal'), '');
    await using copy = await startPostgresVersion({
      major,
      data: copied,
      settings: [`restore_command=${command}`, 'archive_mode=off', 'archive_command='],
    });
    await until('it has recovered', async () => (await copy.sql('select pg_is_in_recovery()'))[0] === 'false');
    assert.deepEqual(await copy.sql('select count(*) from orders'), ['24000']);
    const asked = (await readFile(dir.file('asked'), 'utf8')).split('\n').filter((line) => / [0-9A-F]{24} /.test(line));
    assert.ok(Number(segments) > 10);
    assert.ok(
      asked.length < Number(segments) / 2,
      `${asked.length} of ${segments} segments cost a start of the program`,
    );
    const ahead = join(copied, 'pg_wal/.holdfast-ahead');
    await until('nothing is left of what was fetched ahead', async () =>
      (await readdir(ahead)).every((name) => ['lock', 'log'].includes(name)),
    );
  },
);
