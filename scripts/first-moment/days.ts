import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { heading, line, outcome, row, seconds } from '../first-backup/report.ts';
import { ordersIn, serverTime, startShop, writtenTo } from './cluster.ts';
import type { Order } from './ledger.ts';
import type { Scene } from './scene.ts';
import { differing } from './show.ts';

/** What somebody did, and the moment before. */
export interface Accident {
  /** By the server's clock. */
  readonly moment: string;
  /** By this process's. */
  readonly atMs: number;
  /** All that were written down until then. */
  readonly ordered: readonly Order[];
}

export async function dropTable({ server, ledger, stream }: Scene): Promise<Accident> {
  heading('12 A bad day');
  await ledger.pause();
  const accident = { moment: await serverTime(server), atMs: performance.now(), ordered: [...ledger.orders] };
  await server.sql('drop table orders');
  line(`  ✗ the table of orders dropped, with ${accident.ordered.length} that came in since it was loaded`);
  await stream.durable(await writtenTo(server));
  return accident;
}

export async function lookAtMoment({ show }: Scene, { moment, ordered }: Accident): Promise<void> {
  heading('13 The moment before, in a sandbox');
  const looked = await show.program('verify', 'shop-db', '--at', moment, '--json');
  show.looked(looked, ordered);
  show.took('the moment in a sandbox', looked);
}

/** Out of the moment, beside what runs; it gets its own name once it was looked at. */
export async function takeTable(
  { found, folder, show, server, ledger, stream }: Scene,
  accident: Accident,
): Promise<boolean> {
  heading('14 The one table');
  if (!found.hasClients) {
    outcome(
      'not run',
      `taking one table out: no pg_dump of ${found.major} on this machine (postgresql-client-${found.major})`,
    );
    return false;
  }
  const into = ['--into', `file:${join(folder, 'url')}`, '--table', 'public.orders', '--as', 'orders_restored'];
  const taken = await show.holdfast('restore', 'shop-db', '--at', accident.moment, ...into);
  row('holdfast restore', `${show.took('the one table', taken)}   out of the moment, into the server that runs`);
  const back = await ordersIn(server, 'orders_restored', accident.ordered.length);
  show.same(
    `each of the ${accident.ordered.length} orders is as it was written down, and there is no other`,
    differing(accident.ordered, back),
  );
  await server.sql('alter table orders_restored rename to orders');
  await stream.durable(await writtenTo(server));
  ledger.goOn();
  await ledger.untilMore(300);
  line(
    `    ${seconds(performance.now() - accident.atMs)} without it; customers order again, and nothing else was touched`,
  );
  return true;
}

/** What a lost disk has cost. */
export interface Loss {
  readonly written: number;
  readonly lost: number;
  /** How long it took to order those. */
  readonly lostMs: number;
}

/** What is wanted back of the log: all of it, or the moment alone where the shop has stood still since. */
export async function loseDisk(scene: Scene, wanted: readonly string[]): Promise<Loss> {
  const { found, show, server, ledger, stream } = scene;
  heading('15 The server’s disk is gone');
  await Promise.all([stream.kill(), server.stop()]);
  await ledger[Symbol.asyncDispose]();
  rmSync(server.data, { recursive: true });
  const written = ledger.orders;
  line(`  ✗ power lost, and the data directory gone, with ${written.length} orders that came in since it was loaded`);
  const whole = await show.holdfast('restore', 'shop-db', '--in-place', ...wanted);
  row('holdfast restore', `${show.took('the whole cluster', whole)}   in place, from the backup and the log`);
  await show.holdfast('confirm');
  await using again = await startShop(found.major, server.data);
  const back = await ordersIn(again, 'orders', written.length);
  const kept = written.findLastIndex(({ id }) => back.has(id)) + 1;
  show.same(
    `the first ${kept} orders are as they were written down, and there is no other`,
    differing(written.slice(0, kept), back),
  );
  const [first, last] = [written[kept], written.at(-1)];
  const lostMs = first === undefined || last === undefined ? 0 : last.committedMs - first.committedMs;
  return { written: written.length, lost: written.length - kept, lostMs };
}
