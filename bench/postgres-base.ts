import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { debianPackages } from '../test/servers/debian.ts';
import { startCluster } from './postgres/cluster.ts';
import { folderBytes } from './places.ts';
import { contestants, type Contestant } from './postgres/contestants.ts';
import { median, pairedRatio, type Measurement } from './results.ts';

/**
 * Base backups of a PostgreSQL 15 (`--tables pgbench` or `dense`) beside pgBackRest 2.45 and pg_basebackup with zstd, interleaved
 * as in bench.ts: in each round every tool runs each phase once, in turning order, on the same cluster. As root, so that
 * the server can run as another user. What the server computes for a client (reading, checksums, zstd of pg_basebackup)
 * is in the wall time, and in nobody's CPU time.
 */
const { values } = parseArgs({
  options: {
    tables: { type: 'string', default: 'pgbench' },
    scale: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '5' },
    work: { type: 'string', default: '/var/tmp/holdfast-bench-postgres' },
  },
});
const tables = values.tables === 'dense' ? 'dense' : 'pgbench';
const [scale, rounds, work] = [Number(values.scale), Number(values.rounds), resolve(values.work)];
const bars: readonly (readonly [phase: string, ours: string, theirs: string, most: number])[] = [
  ['full', 'holdfast, host', 'pgBackRest', 0.8],
  ['repeat, unchanged', 'holdfast, host', 'pgBackRest', 1],
  ['repeat, written to', 'holdfast, host', 'pgBackRest', 1],
  ['full', 'holdfast, protocol', 'pg_basebackup, zstd', 1.15],
  ['restore', 'holdfast, host', 'pgBackRest', 0.8],
];

mkdirSync(work, { recursive: true });
chmodSync(work, 0o755);
const packages = await debianPackages('pgbackrest-debian12', ['pgbackrest']);
const cluster = startCluster(work, tables, scale);
const phases = new Map<string, Map<string, Measurement[]>>();
try {
  const holdfast = resolve(import.meta.dirname, '../bin/holdfast');
  const all = contestants({ work, cluster, holdfast, pgbackrest: join(packages, 'usr/bin/pgbackrest') });
  for (let round = 0; round < rounds; round++) await runRound(all.map((_, at) => all[(at + round) % all.length]));
  report(all);
} finally {
  cluster.stop();
}

async function runRound(turn: readonly (Contestant | undefined)[]): Promise<void> {
  const tools = turn.filter((tool) => tool !== undefined);
  for (const tool of tools) tool.prepare();
  await phase('full', tools, (tool) => tool.full());
  await phase('repeat, unchanged', tools, (tool) => tool.repeat?.());
  cluster.write();
  await phase('repeat, written to', tools, (tool) => tool.repeat?.());
  await phase('restore', tools, (tool) => tool.restore?.());
}

async function phase(
  name: string,
  tools: readonly Contestant[],
  words: (tool: Contestant) => readonly string[] | undefined,
): Promise<void> {
  for (const tool of tools) {
    const command = words(tool);
    if (command === undefined) continue;
    const found = await measure(command);
    phases.getOrInsert(name, new Map<string, Measurement[]>()).getOrInsert(tool.name, []).push(found);
  }
}

async function measure(words: readonly string[]): Promise<Measurement> {
  const script = join(import.meta.dirname, 'measure.ts');
  const args = ['--disable-warning=ExperimentalWarning', script, ...words];
  const { stdout } = await promisify(execFile)(process.execPath, args, { encoding: 'utf8' });
  const result = JSON.parse(stdout) as Measurement;
  if (result.status !== 0) throw new Error(`${words.join(' ')} failed: ${stdout}`);
  return result;
}

function report(all: readonly Contestant[]): void {
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  const load = loadavg().map((one) => one.toFixed(1));
  console.log(
    `${tables} ${scale}, ${mib(folderBytes(cluster.data))} MiB, ${rounds} rounds, ${cpus().length} processors`,
  );
  console.log(`load at the end ${load.join(' ')}\n\n| phase | tool | wall s / CPU s / peak MiB |\n| --- | --- | --- |`);
  for (const [name, tools] of phases)
    for (const [tool, runs] of tools) console.log(`| ${name} | ${tool} | ${figures(runs)} |`);
  const sizes = all.map(({ name, repository }) => `${name} ${mib(folderBytes(repository))}`);
  console.log(`| | repository, MiB | ${sizes.join(' · ')} |\n\n| phase | ours / theirs | wall | CPU |`);
  console.log('| --- | --- | --- | --- |');
  for (const [name, ours, theirs, most] of bars) {
    const [mine = [], other = []] = [phases.get(name)?.get(ours), phases.get(name)?.get(theirs)];
    const [wall, cpu] = [pairedRatio(mine, other, 'wall'), pairedRatio(mine, other, 'CPU')];
    console.log(`| ${name} | ${ours} / ${theirs} | ${wall.toFixed(2)} (≤ ${most}) | ${cpu.toFixed(2)} |`);
  }
}

function figures(runs: readonly Measurement[]): string {
  const of = (value: (run: Measurement) => number): number => median(runs.map(value));
  const [wall, cpu, peak] = [of((run) => run.wallMs), of((run) => run.cpuMs), of((run) => run.peakMiB)];
  return `${(wall / 1000).toFixed(2)} / ${(cpu / 1000).toFixed(2)} / ${peak.toFixed(0)}`;
}
