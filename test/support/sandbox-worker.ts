import { systemClock } from '../../src/clock/clock.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';

/** Arguments: a folder and shell text, which a sandbox of that folder runs, then what is visible; prints how it ended. */
const [folder = '', text = '', ...visible] = process.argv.slice(2);
const limits = { memoryBytes: 2 ** 28, diskBytes: 2 ** 40, timeMs: 60_000 };
const { signal } = new AbortController();
await using sandbox = await openSandbox({ folder, hidden: [], visible, limits, clock: systemClock, signal });
console.log(JSON.stringify(await sandbox.run({ words: ['sh', '-c', text], env: {} })));
