import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { Writable } from 'node:stream';
import { main } from '../../src/cli/main.ts';
import { sourceKinds, type SourceKinds } from '../../src/source/kinds.ts';
import { elsewhereKind } from './elsewhere.ts';
import { systemClock } from '../../src/clock/clock.ts';
import type { ServedCommand, ServedResult } from './served.ts';

/**
 * Runs command lines as the program does, one after another in one process: what differs is only that nothing is
 * loaded and compiled anew for each.
 */
class Captured extends Writable {
  readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.chunks.push(Buffer.from(chunk));
    done();
  }
}

const withElsewhere = async (): Promise<SourceKinds> => ({ ...sourceKinds, elsewhere: elsewhereKind });

const patient = systemClock.sleep.bind(systemClock);

/** Pauses are left to chance, so they are no whole milliseconds; bounds are, or a minute at least. */
const impatient: typeof patient = async (ms, signal) =>
  await patient(ms < 60_000 && !Number.isInteger(ms) ? 0 : ms, signal);

/** One thread of each kind does what several do, and to start them is most of what a short command costs. */
os.availableParallelism = () => 1;
syncBuiltinESMExports();

let shiftMs = 0;
const instant = Temporal.Now.instant.bind(Temporal.Now);
Temporal.Now.instant = () => instant().add({ milliseconds: shiftMs });

async function serve({ args, env, cwd, kinds, pauses, aheadMs = 0 }: ServedCommand): Promise<ServedResult> {
  shiftMs = aheadMs;
  const [out, err] = [new Captured(), new Captured()];
  Object.defineProperty(process, 'stdout', { value: out, configurable: true });
  Object.defineProperty(process, 'stderr', { value: err, configurable: true });
  process.chdir(cwd);
  if (env['PATH'] !== undefined) process.env['PATH'] = env['PATH']; // where it finds the programs that it starts
  systemClock.sleep = pauses === 'none' ? impatient : patient;
  const code = await main(args, env, kinds === undefined ? undefined : withElsewhere);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
  process.chdir('/'); // it stays, and keeps no folder from being removed or unmounted
  return { code, stdout: Buffer.concat(out.chunks), stderr: Buffer.concat(err.chunks).toString() };
}

let last: Promise<unknown> = Promise.resolve();
process.on('message', (command: ServedCommand) => {
  last = last.then(async () => process.send?.(await serve(command)));
});
process.on('disconnect', () => process.exit(0));
