import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';

/** Preloaded (`--import`) into a program: when it ends, the modules that it loaded stand on descriptor 3, a line each. */
const loaded: string[] = [];

registerHooks({
  load: (url, context, nextLoad) => {
    loaded.push(url);
    return nextLoad(url, context);
  },
});

process.on('exit', () => {
  writeSync(3, loaded.join('\n'));
});
