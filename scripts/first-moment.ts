import { rmSync } from 'node:fs';
import { heading, line, outcome, row, seconds } from './first-backup/report.ts';
import { findPostgres, type FoundPostgres } from './first-moment/cluster.ts';
import { dropTable, lookAtMoment, loseDisk, takeTable, type Loss } from './first-moment/days.ts';
import { openShop, type Scene } from './first-moment/scene.ts';

/**
 * The last part of `npm start`: a PostgreSQL server that npm brings, its log as it is written, and somebody outside who
 * writes down what was committed. A table is dropped and taken back out of the moment before; then the server's disk is gone,
 * and the cluster comes back in place. Exits with 1 if anything differs from what was written down.
 */
heading('Holdfast: a PostgreSQL server, and any moment of it');
const found = await findPostgres();
if ('absent' in found) outcome('not run', `a server of PostgreSQL: ${found.absent}`);
else await showMoments(found);

async function showMoments(postgres: FoundPostgres): Promise<void> {
  line('  Whatever was committed is written down outside of the server: that is what has to come back.');
  const begun = performance.now();
  await using scene = await openShop(postgres);
  const accident = await dropTable(scene);
  await lookAtMoment(scene, accident);
  const isBack = await takeTable(scene, accident);
  showLoss(scene, await loseDisk(scene, isBack ? ['--latest'] : ['--at', accident.moment]));
  conclude(scene, performance.now() - begun);
}

function showLoss({ show, stream }: Scene, { written, lost, lostMs }: Loss): void {
  heading('16 What was lost, and how long it took');
  row('by the lost disk', `${lost} of ${written} orders: what was ordered in the last ${seconds(lostMs)}`);
  const behind = stream.behind();
  row('the stream was behind', `${Math.max(...behind).toFixed(1)} s at most, by ${behind.length} measurements`);
  show.times();
}

function conclude({ show: { findings }, folder }: Scene, milliseconds: number): void {
  line('');
  if (findings.length > 0) {
    outcome('failed', `${findings.length} differences; everything is kept in ${folder}`);
    process.exitCode = 1;
    return;
  }
  const whole = `everything that was to come back came back, ${seconds(milliseconds)} in all`;
  const isKept = process.argv.includes('--keep');
  outcome('proven', isKept ? `${whole}; the backups stay in ${folder}` : whole);
  if (!isKept) rmSync(folder, { recursive: true });
}
