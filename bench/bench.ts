import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type DataSet, makeData, rewritePages } from './data.ts';
import { peers } from './peers.ts';
import { table, type Measurement, type SetResult } from './results.ts';
import { type Run, type Tool, tools } from './tools.ts';

/**
 * Holdfast beside its peers, interleaved: in each round every tool runs each phase once, in turning order, on the
 * same data and in its own repository. Prints a table; figures are medians, ratios are medians of paired ratios.
 */
const { values } = parseArgs({
  options: {
    sets: { type: 'string', default: 'mixed,small,pages' },
    peers: { type: 'string', default: 'restic,kopia,rustic' },
    rounds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    work: { type: 'string', default: resolve(import.meta.dirname, '../.cache/bench') },
  },
});
const scale = Number(values.scale);
const rounds = Number(values.rounds);
const work = resolve(values.work);
const env = { ...process.env, KOPIA_CHECK_FOR_UPDATES: 'false', HOME: work };

mkdirSync(work, { recursive: true });
const paths = await peers(values.peers.split(','));
const contestants = tools(paths);
const passwordFile = join(work, 'password');
writeFileSync(passwordFile, 'bench\n', { mode: 0o600 });
const template = join(work, 'template');
rmSync(template, { recursive: true, force: true });
execFileSync(paths.restic, ['-q', '-r', template, '--password-file', passwordFile, 'init']);

console.log('| phase | tool | wall s / CPU s / peak MiB | wall ratio | CPU ratio | peak ratio |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const set of values.sets.split(',')) console.log(table(benchSet(set as DataSet)));

function benchSet(set: DataSet): SetResult {
  const data = makeData(set, work, scale);
  const phases = new Map<string, Map<string, Measurement[]>>();
  const repositoryBytes = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    const turn = contestants.map((_, i, all) => all[(i + round) % all.length]).filter((tool) => tool !== undefined);
    const phase = (name: string, words: (tool: Tool, run: Run) => readonly string[]): void => {
      for (const tool of turn) record(phases, name, tool, measure(words(tool, runOf(tool, set, data))));
    };
    for (const tool of turn) prepare(tool, runOf(tool, set, data));
    phase('open', (tool, run) => tool.open(run));
    phase('first', (tool, run) => tool.backup(run));
    phase('unchanged', (tool, run) => tool.backup(run));
    if (set === 'pages') {
      rewritePages(data, scale, round);
      phase('2 % rewritten', (tool, run) => tool.backup(run));
    }
    phase('restore', (tool, run) => tool.restore(run));
    for (const tool of turn) finish(tool, runOf(tool, set, data), repositoryBytes);
  }
  return { set, phases, repositoryBytes };
}

function runOf(tool: Tool, set: DataSet, data: string): Run {
  const folder = join(work, 'runs', `${set}-${tool.name}`);
  return {
    repository: join(folder, 'repository'),
    target: join(folder, 'restored'),
    home: join(folder, 'home'),
    data,
    passwordFile,
    template,
  };
}

function prepare(tool: Tool, run: Run): void {
  rmSync(join(run.home, '..'), { recursive: true, force: true });
  mkdirSync(run.home, { recursive: true });
  mkdirSync(run.target, { recursive: true });
  for (const [command = '', ...args] of tool.prepare(run)) execFileSync(command, args, { stdio: 'ignore', env });
}

function measure(words: readonly string[]): Measurement {
  const script = join(import.meta.dirname, 'measure.ts');
  const options = { encoding: 'utf8', env } as const;
  const printed = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...words], options);
  const result = JSON.parse(printed) as Measurement;
  if (result.status !== 0) throw new Error(`${words.join(' ')} failed: ${printed}`);
  return result;
}

function record(phases: Map<string, Map<string, Measurement[]>>, name: string, tool: Tool, result: Measurement): void {
  const ofPhase = phases.getOrInsert(name, new Map<string, Measurement[]>());
  ofPhase.getOrInsert(tool.name, []).push(result);
}

/** What was restored must be what was backed up: a fast restore of half the bytes is no result. */
function finish(tool: Tool, run: Run, repositoryBytes: Map<string, number>): void {
  const restored = folderBytes(run.target);
  const wanted = folderBytes(run.data);
  if (restored !== wanted) throw new Error(`${tool.name} restored ${restored} bytes of ${wanted}`);
  repositoryBytes.set(tool.name, folderBytes(run.repository));
  rmSync(join(run.home, '..'), { recursive: true, force: true });
}

function folderBytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}
