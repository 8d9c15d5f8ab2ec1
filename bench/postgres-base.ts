import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { debianPackages } from '../test/servers/debian.ts';
import { FreeMemory } from './free-memory.ts';
import { startCluster, type Cluster, type Tables } from './postgres/cluster.ts';
import { folderBytes } from './places.ts';
import { contestants, type Contestant } from './postgres/contestants.ts';
import { median, pairedRatio, type Measurement } from './results.ts';

/**
 * Base backups of a PostgreSQL 15 beside pgBackRest 2.45 and pg_basebackup with zstd, interleaved as in bench.ts: in each
 * round every tool runs each phase once, in turning order, on the same cluster. As root, so that the server can run as
 * another user. What the server computes for a client (reading, checksums, zstd of pg_basebackup) is in the wall time,
 * and in nobody's CPU time.
 *
 * `--sets pgbench:100,dense:350`: pgbench's tables at that scale (1.5 GiB), and 5.1 GiB of which half is random. It runs
 * unattended: of each set no round is begun that would not end within `--minutes`, judged by the longest so far, a
 * command that takes longer than all of them ends it, and `--out FILE` gets the tables, set by set. On an idle machine of 2
 * processors the two sets take some 35 minutes of the 60 that they may, filling memory between the commands some more,
 * and 40 GiB of disk.
 */
const { values } = parseArgs({
  options: {
    sets: { type: 'string', default: 'pgbench:100,dense:350' },
    rounds: { type: 'string', default: '5' },
    minutes: { type: 'string', default: '30' },
    out: { type: 'string' },
    work: { type: 'string', default: '/var/tmp/holdfast-bench-postgres' },
  },
});
const [rounds, minutes, work] = [Number(values.rounds), Number(values.minutes), resolve(values.work)];
const bars: readonly (readonly [phase: string, ours: string, theirs: string, most: number])[] = [
  ['full', 'holdfast, host', 'pgBackRest', 0.8],
  ['repeat, unchanged', 'holdfast, host', 'pgBackRest', 1],
  ['repeat, written to', 'holdfast, host', 'pgBackRest', 1],
  ['full', 'holdfast, protocol', 'pg_basebackup, zstd', 1.15],
  ['restore', 'holdfast, host', 'pgBackRest', 0.8],
];

interface Set {
  readonly tables: Tables;
  readonly scale: number;
}

type Phases = Map<string, Map<string, Measurement[]>>;

mkdirSync(work, { recursive: true });
chmodSync(work, 0o755);
if (values.out !== undefined) writeFileSync(values.out, '');
using freeMemory = new FreeMemory(work);
const packages = await debianPackages('pgbackrest-debian12', ['pgbackrest']);
for (const set of values.sets.split(',').map(setNamed)) await runSet(set);

function setNamed(text: string): Set {
  const [tables, scale] = text.split(':');
  if (tables === 'pgbench' || tables === 'dense') return { tables, scale: Number(scale ?? 100) };
  throw new Error(`${text}: neither pgbench:SCALE nor dense:SCALE`);
}

async function runSet(set: Set): Promise<void> {
  const cluster = startCluster(work, set.tables, set.scale);
  const holdfast = resolve(import.meta.dirname, '../bin/holdfast');
  const all = contestants({ work, cluster, holdfast, pgbackrest: join(packages, 'usr/bin/pgbackrest') });
  const phases: Phases = new Map();
  try {
    let [done, longest] = [0, 0];
    for (const ends = performance.now() + minutes * 60_000; done < rounds; done += 1) {
      const began = performance.now();
      if (done > 0 && began + longest > ends) break;
      await runRound(
        phases,
        all.map((_, at) => all[(at + done) % all.length]),
        cluster,
      );
      longest = Math.max(longest, performance.now() - began);
    }
    tell(report(set, cluster, all, phases, done));
  } finally {
    cluster.stop();
    for (const { repository } of all) rmSync(repository, { recursive: true, force: true });
    for (const name of ['holdfast', 'pgbackrest'])
      rmSync(join(work, `restored-${name}`), { recursive: true, force: true });
  }
}

function tell(text: string): void {
  console.log(text);
  if (values.out !== undefined) appendFileSync(values.out, `${text}\n`);
}

async function runRound(phases: Phases, turn: readonly (Contestant | undefined)[], cluster: Cluster): Promise<void> {
  const tools = turn.filter((tool) => tool !== undefined);
  for (const tool of tools) tool.prepare();
  await phase(phases, 'full', tools, (tool) => tool.full());
  await phase(phases, 'repeat, unchanged', tools, (tool) => tool.repeat?.());
  cluster.write();
  await phase(phases, 'repeat, written to', tools, (tool) => tool.repeat?.());
  await phase(phases, 'restore', tools, (tool) => tool.restore?.());
}

async function phase(
  phases: Phases,
  name: string,
  tools: readonly Contestant[],
  words: (tool: Contestant) => readonly string[] | undefined,
): Promise<void> {
  for (const tool of tools) {
    const command = words(tool);
    if (command === undefined) continue;
    execFileSync('sync'); // what the one before has left to be written is not this one's to wait for
    freeMemory.fill();
    const found = await measure(command);
    phases.getOrInsert(name, new Map<string, Measurement[]>()).getOrInsert(tool.name, []).push(found);
  }
}

async function measure(words: readonly string[]): Promise<Measurement> {
  const script = join(import.meta.dirname, 'measure.ts');
  const args = ['--disable-warning=ExperimentalWarning', script, ...words];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    encoding: 'utf8',
    timeout: minutes * 60_000,
  });
  const result = JSON.parse(stdout) as Measurement;
  if (result.status !== 0) throw new Error(`${words.join(' ')} failed: ${stdout}`);
  return result;
}

function report(
  { tables, scale }: Set,
  cluster: Cluster,
  all: readonly Contestant[],
  phases: Phases,
  done: number,
): string {
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  const load = loadavg().map((one) => one.toFixed(1));
  const lines = [
    `${tables} ${scale}, ${mib(folderBytes(cluster.data))} MiB, ${done} rounds, ${cpus().length} processors, load at the end ${load.join(' ')}`,
    '',
    '| phase | tool | wall s / CPU s / peak MiB |',
    '| --- | --- | --- |',
  ];
  for (const [name, tools] of phases)
    for (const [tool, runs] of tools) lines.push(`| ${name} | ${tool} | ${figures(runs)} |`);
  const sizes = all.map(({ name, repository }) => `${name} ${mib(folderBytes(repository))}`);
  lines.push(`| | repository, MiB | ${sizes.join(' · ')} |`, '', '| phase | ours / theirs | wall | CPU |');
  lines.push('| --- | --- | --- | --- |');
  for (const [name, ours, theirs, most] of bars) {
    const [mine = [], other = []] = [phases.get(name)?.get(ours), phases.get(name)?.get(theirs)];
    const [wall, cpu] = [pairedRatio(mine, other, 'wall'), pairedRatio(mine, other, 'CPU')];
    lines.push(`| ${name} | ${ours} / ${theirs} | ${wall.toFixed(2)} (≤ ${most}) | ${cpu.toFixed(2)} |`);
  }
  return `${lines.join('\n')}\n`;
}

function figures(runs: readonly Measurement[]): string {
  const of = (value: (run: Measurement) => number): number => median(runs.map(value));
  const [wall, cpu, peak] = [of((run) => run.wallMs), of((run) => run.cpuMs), of((run) => run.peakMiB)];
  return `${(wall / 1000).toFixed(2)} / ${(cpu / 1000).toFixed(2)} / ${peak.toFixed(0)}`;
}
