import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { damage, work } from './first-backup/changes.ts';
import { countFacts, differences, inventoryOf, sizesOf, type Inventory } from './first-backup/inventory.ts';
import { makeOriginals } from './first-backup/originals.ts';
import { heading, line, mebibytes, outcome, row, seconds } from './first-backup/report.ts';
import { holdfast, repositoryBytes, type Ran } from './first-backup/run.ts';

/**
 * `npm start`: the first backup, on files that it makes. Backs up, changes, backs up again, damages, restores, and
 * compares every byte and every attribute by means of its own. Exits with 1 if anything differs.
 */
const folder = mkdtempSync(join(tmpdir(), 'holdfast-first-backup-'));
const home = join(folder, 'home');
const originals = join(home, 'originals');
const repository = join(folder, 'repository');
const password = 'first backup';
const at = { repository, password, cache: join(folder, 'cache') };
const findings: string[] = [];

function compared(claim: string, wanted: Inventory, found: Inventory): void {
  const differing = differences(wanted, found);
  outcome(
    differing.length === 0 ? 'proven' : 'failed',
    `${claim}: ${countFacts(wanted).toLocaleString('en')} facts of ${wanted.size.toLocaleString('en')} files and folders`,
  );
  for (const difference of differing.slice(0, 12)) line(`    ${difference}`);
  findings.push(...differing);
}

function rate({ milliseconds }: Ran, bytes: number): string {
  return `${seconds(milliseconds)}, ${mebibytes((bytes / milliseconds) * 1000)}/s`;
}

heading('Holdfast: the first backup');
line('  Files of all kinds are backed up, changed, backed up again, damaged, restored and compared.');

mkdirSync(home);
makeOriginals(originals);
const before = inventoryOf(originals);
const sizes = sizesOf(originals, before);
heading('1  The originals');
row(
  'files',
  `${sizes.files.toLocaleString('en')} in ${mebibytes(sizes.bytes)} (${mebibytes(sizes.onDisk)} on disk: one has holes)`,
);
row('among them', 'links, hard links, a fifo, access lists, names that are not UTF-8, times before 1970');

heading('2  Two backups with a day of work between them');
holdfast(at, 'init');
const first = holdfast(at, 'backup', originals);
const firstBytes = repositoryBytes(repository);
row('first', `${mebibytes(sizes.bytes)} → ${mebibytes(firstBytes)} stored   (${rate(first, sizes.bytes)})`);
work(originals);
const after = inventoryOf(originals);
const second = holdfast(at, 'backup', originals);
const grown = repositoryBytes(repository) - firstBytes;
const sizesAfter = sizesOf(originals, after);
row('second', `${mebibytes(sizesAfter.bytes)} → ${mebibytes(grown)} more     (${rate(second, sizesAfter.bytes)})`);
row(
  'together',
  `two full snapshots of ${mebibytes(sizes.bytes + sizesAfter.bytes)} in ${mebibytes(firstBytes + grown)}: ${((sizes.bytes + sizesAfter.bytes) / (firstBytes + grown)).toFixed(1)} to 1`,
);

heading('3  A bad day');
for (const what of damage(originals)) line(`  ✗ ${what}`);

heading('4  Restored');
const inPlace = holdfast(at, 'restore', `latest:${home}`, '--target', home, '--delete', '--sparse', '--verify');
row('in place', rate(inPlace, sizesAfter.bytes));
const elsewhere = join(folder, 'elsewhere');
const old = holdfast(at, 'restore', `${first.snapshot}:${home}`, '--target', elsewhere, '--sparse');
row('the first one elsewhere', rate(old, sizes.bytes));

heading('5  Proven');
compared('the damaged folder is as it was at the second backup', after, inventoryOf(originals));
compared('the first backup still restores as it was', before, inventoryOf(join(elsewhere, 'originals')));
const holes = sizesOf(join(elsewhere, 'originals'), before).onDisk;
outcome(
  holes <= sizes.onDisk * 1.2 ? 'proven' : 'failed',
  `holes stay holes: ${mebibytes(holes)} on disk, ${mebibytes(sizes.onDisk)} before`,
);
if (holes > sizes.onDisk * 1.2) findings.push('holes were filled');
const checked = holdfast(at, 'check', '--read-data');
outcome('proven', `every stored byte read and checked by \`check --read-data\` (${seconds(checked.milliseconds)})`);
const stranger = join(folder, 'stranger');
const restic = readByRestic();
if (restic !== undefined)
  compared(`${restic} restores it without Holdfast`, after, inventoryOf(join(stranger, originals)));

heading('No lock-in');
line('  Whoever has restic and the password reads this repository:');
line(`    RESTIC_PASSWORD='${password}' restic -r ${repository} restore latest --target /tmp/restored`);
line('');
rmSync(stranger, { recursive: true, force: true });
if (findings.length > 0) {
  outcome('failed', `${findings.length} differences; everything is kept in ${folder}`);
  process.exitCode = 1;
} else if (process.argv.includes('--keep')) {
  outcome('proven', `everything came back; the repository stays in ${folder}`);
} else {
  outcome(
    'proven',
    'everything came back, byte for byte and attribute for attribute (--keep leaves it for you to look at)',
  );
  rmSync(folder, { recursive: true });
}

/** The version line of the restic that restored the newest snapshot; undefined where there is none. */
function readByRestic(): string | undefined {
  const program = process.env['HOLDFAST_RESTIC'] ?? 'restic';
  const options = {
    encoding: 'utf8',
    env: { ...process.env, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password },
  } as const;
  const version = spawnSync(program, ['version'], options);
  if (version.status !== 0) {
    outcome('not run', 'reading it with restic: no restic on this machine (apt-get install restic)');
    return undefined;
  }
  mkdirSync(stranger);
  const restored = spawnSync(program, ['--no-cache', 'restore', 'latest', '--target', stranger], options);
  if (restored.status !== 0) findings.push(`restic restore: ${restored.stderr}`);
  return version.stdout.split(' ').slice(0, 2).join(' ');
}
