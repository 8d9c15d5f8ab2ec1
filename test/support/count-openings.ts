/**
 * Loaded into a program before its own code (NODE_OPTIONS=--import=…), it writes a byte to the file COUNT_OPENINGS
 * whenever the program opens a file `config`: once for each time that it opens a repository in a folder.
 */
import { appendFileSync, promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const file = process.env['COUNT_OPENINGS'] ?? '';

promises.open = new Proxy(promises.open, {
  apply: (target, self, given): unknown => {
    if (String(given[0]).endsWith('/config')) appendFileSync(file, '.');
    return Reflect.apply(target, self, given);
  },
});
syncBuiltinESMExports();
