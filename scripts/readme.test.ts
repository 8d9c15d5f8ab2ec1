import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { postgresPrograms } from '../test/servers/postgres-program.ts';
import {
  startPostgresVersion,
  withoutPostgresVersions,
  type PostgresServer,
} from '../test/servers/postgres-versions.ts';
import { runOk } from '../test/support/run-program.ts';
import { tempDir } from '../test/support/temp-dir.ts';
import { loadedOrders } from './first-moment/cluster.ts';
import { makeShop } from './first-team/database.ts';
import { root } from './tree.ts';

/** The README's shell blocks, in order. */
async function shellBlocks(): Promise<readonly string[]> {
  const page = await readFile(join(root, 'README.md'), 'utf8');
  return [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
}

function isNpm(line: string): boolean {
  return line.startsWith('npm ');
}

/** Where the program keeps what it compiled: a home of its own for each test has it compile but once. */
const compiled = await tempDir();
after(async () => await compiled[Symbol.asyncDispose]());

async function runBlock(
  block: string,
  home: string,
  more: { readonly PATH?: string; readonly DATABASE_URL?: string } = {},
): Promise<string> {
  const env = {
    HOME: home,
    XDG_CACHE_HOME: compiled.path,
    CI: undefined,
    NODE_TEST_CONTEXT: undefined,
    HOLDFAST_STATE_DIR: join(home, 'state'),
    ...more,
    PATH: [join(root, 'bin'), more.PATH, process.env['PATH']].filter((one) => one !== undefined).join(':'),
  };
  const output = await runOk('sh', ['-e', '-c', block], { cwd: root, env, timeoutMs: 800_000 });
  return output.toString();
}

test('the npm commands of the README are npm start and those that .ci/run runs', async () => {
  const lines = (await shellBlocks()).flatMap((block) => block.trim().split('\n')).filter(isNpm);
  const ci = await readFile(join(root, '.ci/run'), 'utf8');
  const elsewhere = lines.filter((line) => !ci.includes(line));
  assert.deepEqual(elsewhere, ['npm start']);
});

test('npm start shows a folder, a database and a server’s moments copied, verified, measured and brought back', async () => {
  await using home = await tempDir();
  const report = await runBlock('npm start', home.path);
  assertTeam(report);
  if (withoutPostgresVersions() === false) assertMoments(report);
  else assert.match(report, /NOT RUN a server of PostgreSQL/);
});

function assertTeam(report: string): void {
  assert.doesNotMatch(report, /FAILED/);
  for (const copy of ['documents in near', 'documents in far']) assert.match(report, new RegExp(`✔ ${copy}`));
  // Without namespaces it has to say so; with them the orders were counted in the loaded database.
  for (const copy of ['shop in near', 'shop in far'])
    assert.match(report, new RegExp(`✔ ${copy} .*orders: 2000|\\? COULD NOT VERIFY ${copy} .*sandbox`));
  for (const objective of ['rpo', 'rto', 'copies', 'offsite', 'proof', 'proof-each'])
    assert.match(report, new RegExp(`^ +[✔?!✖] ${objective} +\\S`, 'm'));
  assert.match(report, /✔ the folder is as it was: [\d,]+ facts/);
  assert.match(report, /✔ the database is as it was: 2,200 rows/);
  assert.match(report, /✔ restic [\d.]+ reads the copy in far|NOT RUN reading it with restic/);
}

/** What is printed agrees with what was written down while it ran. */
function assertMoments(report: string): void {
  const number = (pattern: RegExp): number => {
    const [, digits] = pattern.exec(report) ?? assert.fail(`${pattern} in\n${report}`);
    return Number(digits?.replaceAll(',', ''));
  };
  const ordered = number(/✗ the table of orders dropped, with (\d+) that came in/);
  assert.ok(ordered > 0);
  if (!/COULD NOT VERIFY shop-db/.test(report)) {
    assert.equal(number(/✔ shop-db in near +orders: (\d+), no orphans: 0/), loadedOrders + ordered);
    assert.equal(number(/✔ as many orders as were loaded and written down: ([\d,]+)/), loadedOrders + ordered);
  }
  if (!/NOT RUN taking one table out/.test(report))
    assert.equal(number(/✔ each of the (\d+) orders is as it was written down/), ordered);
  const written = number(/✗ power lost, and the data directory gone, with (\d+) orders/);
  assert.ok(written >= ordered);
  const [back, lost] = [
    number(/✔ the first (\d+) orders are as they were/),
    number(/by the lost disk +(\d+) of \d+ orders/),
  ];
  assert.equal(back + lost, written);
  assert.ok(back >= ordered, 'what was streamed before is never lost');
  assert.ok(number(/the stream was behind +([\d.]+) s at most/) > 0);
  for (const part of ['the backup', 'the moment in a sandbox', 'the whole cluster'])
    assert.match(report, new RegExp(`^  ${part} +[\\d.]+ s$`, 'm'));
}

/** What cron would run: the line behind its five fields. */
async function cronLine(): Promise<string> {
  const page = await readFile(join(root, 'README.md'), 'utf8');
  const [, line = ''] = /^```crontab\n(?:\S+ +){5}(.+)\n```$/m.exec(page) ?? [];
  return line;
}

const isOfPostgres = (block: string): boolean => block.includes('DATABASE_URL');

test(
  'the block of the README on PostgreSQL runs as it stands, up to a copy that holds what was written last',
  { skip: withoutPostgresVersions() },
  async () => {
    await using server = await startPostgresVersion({ major: '18' });
    await using home = await tempDir();
    const [block = ''] = (await shellBlocks()).filter(isOfPostgres);
    await chmod(home.path, 0o755);
    const env = { DATABASE_URL: server.url, PATH: await postgresPrograms('18') };
    const running = runBlock(`trap 'kill $!' EXIT\n${block}`, home.path, env);
    const written = writeOnceFollowed(server, running);
    assert.match(await running, /VERIFIED/);
    await written;
    await using copy = await startPostgresVersion({ major: '18', data: home.file('shop/restored/shop-db/data') });
    assert.deepEqual(await copy.sql('select id from written_last'), ['7']);
  },
);

async function writeOnceFollowed({ sql }: PostgresServer, running: Promise<unknown>): Promise<void> {
  let isRunning = true;
  const ended = (): void => void (isRunning = false);
  running.then(ended, ended);
  const followed = "select count(*) from pg_replication_slots where active and slot_name = 'holdfast_shop_db'";
  while (isRunning && (await sql(followed))[0] !== '1') await systemClock.sleep(500);
  if (isRunning) await sql('create table written_last as select 7 as id');
}

const isInPlace = (block: string): boolean => block.includes('--in-place');

test('every other block of the README runs as it stands, from nothing to proven and restored', async () => {
  await using home = await tempDir();
  await mkdir(home.file('documents'));
  const letter = home.file('documents', 'letter');
  await writeFile(letter, 'Dear reader');
  makeShop(home.file('shop.db'));
  const blocks = (await shellBlocks()).filter((block) => !block.split('\n').some(isNpm) && !isOfPostgres(block));
  assert.equal(blocks.filter(isInPlace).length, 1);
  for (const block of blocks) {
    if (isInPlace(block)) await writeFile(letter, 'spoiled');
    await runBlock(block, home.path);
    assert.equal(await readFile(letter, 'utf8'), 'Dear reader');
  }
  assert.equal(await readFile(home.file('restored', letter), 'utf8'), 'Dear reader');
  const team = ['far', 'found-here.yaml', 'holdfast-password', 'holdfast.yaml', 'near'];
  assert.deepEqual((await readdir(home.file('team'))).toSorted(), team);
  const line = await cronLine();
  assert.match(line, /backup --all/);
  await runBlock(line, home.path);
});
