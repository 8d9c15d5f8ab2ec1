import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type DataSet, makeData } from './data.ts';
import { limitsFor } from './limits.ts';
import { type CpuProfile, phasesOf } from './phases.ts';

/**
 * `node bench/profile.ts [--sets mixed,small,pages] [--scale 1] [--work FOLDER]`: where a first backup and a restore
 * spend their time, phase by phase, in the main thread and in all workers together, beside the CPU time that the
 * phase's primitive takes for the same bytes. Sampled by V8; waiting for a system call counts, idling doesn't, so a
 * busy machine shows more than CPU time.
 */
const { values } = parseArgs({
  options: {
    sets: { type: 'string', default: 'mixed,small,pages' },
    scale: { type: 'string', default: '1' },
    work: { type: 'string', default: resolve(import.meta.dirname, '../.cache/bench') },
  },
});
const work = resolve(values.work);
const folder = join(work, 'profile');
const passwordFile = join(work, 'password');
const main = join(import.meta.dirname, '../src/main.js');

mkdirSync(work, { recursive: true });
writeFileSync(passwordFile, 'bench\n', { mode: 0o600 });
console.log('| phase | main thread, s | workers, s | limit, s |');
console.log('| --- | --- | --- | --- |');
for (const set of values.sets.split(',')) profileSet(set as DataSet);
rmSync(folder, { recursive: true, force: true });

function profileSet(set: DataSet): void {
  const data = makeData(set, work, Number(values.scale));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  holdfast([], ['init']);
  const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const limits = limitsFor(files.map(({ parentPath, name }) => join(parentPath, name)));
  print(`${set} first`, profiled('first', ['backup', data]), limits);
  print(`${set} restore`, profiled('restore', ['restore', 'latest', '--target', join(folder, 'target')]), limits);
}

interface Seconds {
  readonly main: ReadonlyMap<string, number>;
  readonly workers: ReadonlyMap<string, number>;
}

function profiled(name: string, command: readonly string[]): Seconds {
  const profiles = join(folder, name);
  holdfast(['--cpu-prof', `--cpu-prof-dir=${profiles}`], command);
  const threads = readdirSync(profiles).map((file) => ({ file, phases: phasesOf(read(join(profiles, file))) }));
  const isMain = ({ file }: { readonly file: string }): boolean => /\.0\.\d+\.cpuprofile$/.test(file);
  return {
    main: sum(threads.filter(isMain).map(({ phases }) => phases)),
    workers: sum(threads.filter((thread) => !isMain(thread)).map(({ phases }) => phases)),
  };
}

/** As bin/holdfast starts it. */
function holdfast(options: readonly string[], command: readonly string[]): void {
  const node = ['--max-semi-space-size=2', '--disable-warning=ExperimentalWarning', ...options, main];
  const repository = ['-q', '-r', join(folder, 'repository'), '--password-file', passwordFile];
  const cache = ['--cache-dir', join(folder, 'cache')];
  execFileSync(process.execPath, [...node, ...repository, ...cache, ...command], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function read(path: string): CpuProfile {
  return JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
}

function sum(threads: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const [phase, each] of threads.flatMap((thread) => [...thread])) {
    seconds.set(phase, (seconds.get(phase) ?? 0) + each);
  }
  return seconds;
}

function print(name: string, { main: own, workers }: Seconds, limits: ReadonlyMap<string, number>): void {
  const all = sum([own, workers]);
  for (const [phase] of [...all].toSorted(([, a], [, b]) => b - a)) {
    const figures = [own.get(phase), workers.get(phase), limits.get(phase)].map((value) => value?.toFixed(2) ?? '');
    console.log(`| ${name}: ${phase} | ${figures.join(' | ')} |`);
  }
}
