import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseLsn } from '../../src/source/postgres/lsn.ts';
import { asServer } from '../servers/postgres-user.ts';
import { until } from '../support/archiving-scene.ts';
import { holdfastProgram } from '../support/holdfast.ts';
import { lockHolder } from '../support/lock-holder.ts';
import { runOk, runProgram } from '../support/run-program.ts';
import { streamOf } from '../support/streaming.ts';
import type { Stage } from './stage.ts';

/** Keeps the log of a cluster as its policy says for as long as `body` runs, and until what it wrote is durable. */
export async function keepLog(stage: Stage, component: string, body: () => Promise<void>): Promise<void> {
  const { log } = stage.policy.components[component] ?? {};
  if (log === undefined) throw new Error(`${component} has no log`);
  await (log.mode === 'stream' ? streamed(stage, component, body) : archived(stage, component, body));
}

async function streamed(stage: Stage, component: string, body: () => Promise<void>): Promise<void> {
  await stage.ok(['postgres', 'setup', component, '--apply'], 0, 3);
  await using streaming = streamOf({ component, ...stage.aside });
  await streaming.until(({ durable }) => durable !== undefined);
  await body();
  const end = parseLsn(await stage.postgres.sql('postgres', 'select pg_current_wal_flush_lsn()'));
  await until(`${component} is durable`, async () => streaming.durable() >= end);
  await streaming.end('SIGTERM');
}

/** As the server's user, as whom the server runs what hands its log over. */
async function archived(stage: Stage, component: string, body: () => Promise<void>): Promise<void> {
  const { dir, postgres } = stage;
  const state = dir.file('server', 'state');
  await handRepositories(stage, component);
  const at = ['--config', dir.file('holdfast.yaml'), '--state-dir', state];
  const [as, ...words] = asServer([holdfastProgram, 'postgres', 'setup', component, '--apply', '--json', ...at]);
  const env = { ...stage.aside.env, HOME: dir.file('server') };
  const applied = await runProgram(as, words, { cwd: postgres.data, env });
  await using _ended = {
    [Symbol.asyncDispose]: async () => await endWorker(stage, join(state, 'spool', component), state),
  };
  const command = await postgres.sql('postgres', 'show archive_command');
  if (!command.includes('archive-push')) throw new Error(`${applied.stderr}${applied.stdout.toString()}`);
  await body();
  const last = await postgres.sql('postgres', 'select pg_walfile_name(pg_switch_wal())');
  const isStored = `select coalesce(last_archived_wal >= '${last}', false) from pg_stat_archiver`;
  await until(`${last} is stored`, async () => (await postgres.sql('postgres', isStored)) === 't');
}

/** A team's own server writes what it hands over as its own user: the folders of its places are that user's. */
async function handRepositories({ policy }: Stage, component: string): Promise<void> {
  const places = Object.keys(policy.components[component]?.log?.to ?? {});
  const folders = places.map((name) => policy.repositories[name]?.url ?? '').filter((url) => url.startsWith('/'));
  const owner = process.getuid?.() === 0 ? '65534:65534' : String(process.getuid?.());
  if (folders.length === 0) return;
  await runOk('chown', ['-R', owner, ...folders]);
  await runOk('chmod', ['a+x', ...folders.map((folder) => dirname(folder))]);
}

async function endWorker({ postgres }: Stage, spool: string, state: string): Promise<void> {
  await postgres.sql('postgres', 'alter system reset archive_command');
  await postgres.sql('postgres', 'select pg_reload_conf()');
  await rm(join(state, 'grants'), { recursive: true, force: true }); // without it a worker ends by itself
  await until('the worker has ended', async () => (await lockHolder(join(spool, 'worker.lock'))) === undefined);
}
