import { spawnSync } from 'node:child_process';
import { dlopen } from 'node:ffi';

/**
 * Runs the command given as arguments and prints its wall time, CPU time and peak memory as one JSON line, from the
 * system's own accounting of finished children (getrusage, RUSAGE_CHILDREN). Started anew for each measurement:
 * the figures of earlier children would add up. The floor of the peak is this process' own size at the fork.
 */
const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error('usage: measure.ts COMMAND [ARG…]');

const started = performance.now();
const child = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 });
const wallMs = performance.now() - started;

const usage = Buffer.alloc(256);
const rusageChildren = -1;
dlopen(null, { getrusage: { arguments: ['i32', 'pointer'], return: 'i32' } }).functions.getrusage(
  rusageChildren,
  usage,
);

const seconds = (at: number): number => Number(usage.readBigInt64LE(at)) + Number(usage.readBigInt64LE(at + 8)) / 1e6;
const result = {
  status: child.status,
  wallMs,
  cpuMs: (seconds(0) + seconds(16)) * 1000,
  peakMiB: Number(usage.readBigInt64LE(32)) / 1024,
  ...(child.status === 0 ? {} : { stderr: child.stderr.toString().slice(-2000) }),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
