import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresServer } from '../../test/servers/postgres-versions.ts';
import { heading, mebibytes, row } from '../first-backup/report.ts';
import { repositoryBytes } from '../first-backup/run.ts';
import { loadedOrders, loadShop, startShop, writtenTo, type FoundPostgres } from './cluster.ts';
import { Ledger } from './ledger.ts';
import { policyText } from './policy.ts';
import { startStream, type Streaming } from './program.ts';
import { Show } from './show.ts';

/** A shop that runs, is backed up and followed, and somebody outside who writes down what was ordered. */
export interface Scene extends AsyncDisposable {
  readonly found: FoundPostgres;
  readonly folder: string;
  readonly show: Show;
  readonly server: PostgresServer;
  readonly ledger: Ledger;
  readonly stream: Streaming;
}

export async function openShop(found: FoundPostgres): Promise<Scene> {
  heading('11 Loaded, set up, backed up while customers order');
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-first-moment-'));
  chmodSync(folder, 0o755); // PostgreSQL refuses root: its own user has to get at what is restored here
  const show = new Show(folder);
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startShop(found.major));
  await loadShop(server);
  row('server', `PostgreSQL ${(await server.sql('show server_version'))[0]}, from a package of npm’s`);
  row('loaded', `${loadedOrders.toLocaleString('en')} orders`);
  await setUp(show, folder, { url: server.url, programs: found.programs });
  const ledger = stack.use(await Ledger.begin(server.url, loadedOrders + 1));
  const stream = stack.use(startStream(folder));
  await stream.durable(await writtenTo(server));
  const took = show.took('the backup', await show.holdfast('backup', 'shop-db'));
  row('holdfast backup', `${took}   ${mebibytes(repositoryBytes(join(folder, 'near')))} stored, the log among it`);
  await stream.durable(await writtenTo(server));
  const kept = stack.move();
  return { found, folder, show, server, ledger, stream, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}

interface Wanted {
  readonly url: string;
  readonly programs: string;
}

async function setUp({ holdfast, program }: Show, folder: string, { url, programs }: Wanted): Promise<void> {
  writeFileSync(join(folder, 'password'), 'first moment', { mode: 0o600 });
  writeFileSync(join(folder, 'url'), url, { mode: 0o600 });
  writeFileSync(join(folder, 'holdfast.yaml'), policyText(folder, programs));
  await holdfast('init');
  await program('postgres', 'setup', 'shop-db', '--apply'); // exit code 3: of a server for a show it wants more
}
