import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { DataSet } from './data.ts';
import { localPlace, s3Place, type Place } from './places.ts';
import { peers } from './peers.ts';
import type { SetResult } from './results.ts';
import { benchSet } from './rounds.ts';
import { figuresHead, figuresTable, ratiosTable } from './tables.ts';
import { tools } from './tools.ts';

/**
 * Holdfast beside its peers, interleaved: in each round every tool runs each phase once, in turning order, on the
 * same data and in its own repository. Prints a table; figures are medians, ratios are medians of paired ratios.
 *
 * `--storage s3` puts the repositories into a bucket (versitygw on loopback) behind a link that delays each answer, and
 * counts requests; in the end it prints the ratios beside their bars.
 */
const { values } = parseArgs({
  options: {
    storage: { type: 'string', default: 'local' },
    delays: { type: 'string', default: '0,50' },
    sets: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string' },
    scale: { type: 'string' },
    work: { type: 'string', default: resolve(import.meta.dirname, '../.cache/bench') },
  },
});
const onS3 = values.storage === 's3';
const scale = Number(values.scale ?? (onS3 ? 0.5 : 1));
const rounds = Number(values.rounds ?? (onS3 ? 3 : 5));
const work = resolve(values.work);
const env = { ...process.env, KOPIA_CHECK_FOR_UPDATES: 'false', HOME: work };

mkdirSync(work, { recursive: true });
const paths = await peers((values.peers ?? (onS3 ? 'restic' : 'restic,kopia,rustic')).split(','));
const passwordFile = join(work, 'password');
writeFileSync(passwordFile, 'bench\n', { mode: 0o600 });
const template = templateAt('template');
const copyTemplate = templateAt('template-copy', '--from-repo', template, '--from-password-file', passwordFile);

const sets = (values.sets ?? (onS3 ? 'mixed' : 'mixed,small,pages')).split(',') as readonly DataSet[];
const results: SetResult[] = [];
console.log(figuresHead);
for (const open of onS3
  ? values.delays.split(',').map((delay) => () => s3Place(Number(delay)))
  : [async () => localPlace]) {
  await using place = await open();
  for (const set of sets) await bench(set, place);
}
if (onS3) console.log(`\nHoldfast divided by restic\n\n${ratiosTable(results)}`);

async function bench(set: DataSet, place: Place): Promise<void> {
  const fixed = { work, passwordFile, template, copyTemplate, restic: paths.restic, env: { ...env, ...place.env } };
  const how = { ...fixed, set, place, scale, rounds, contestants: tools(paths) };
  const result = await benchSet(how);
  console.log(figuresTable(result));
  results.push(result);
}

/** An empty repository of restic's. */
function templateAt(name: string, ...options: readonly string[]): string {
  const folder = join(work, name);
  rmSync(folder, { recursive: true, force: true });
  const cutAlike = options.length > 0 ? ['--copy-chunker-params'] : [];
  const init = ['-q', '-r', folder, '--password-file', passwordFile, 'init', ...options, ...cutAlike];
  execFileSync(paths.restic, init, { env });
  return folder;
}
