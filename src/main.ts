import { main } from './cli/main.ts';

/**
 * The program, as `bin/holdfast` starts it. Only what a command needs is loaded, and compiled code comes from the cache
 * folder that the launcher named; programs that are started from here shall not take it for theirs.
 */
delete process.env['NODE_COMPILE_CACHE'];
process.exit(await main(process.argv.slice(2), process.env));
