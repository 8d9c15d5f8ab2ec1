import { HoldfastError } from '../errors/error.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The first signal asks for an orderly end: the command stops, removes its lock and exits with 130. The second one
 * ends the program at once; a lock that then stays is stale and removed by the next command.
 */
export function interruptible(): AbortSignal {
  const controller = new AbortController();
  for (const name of signals) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new HoldfastError('interrupted', `stopped by ${name}`));
    });
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    controller.abort(new HoldfastError('interrupted', 'nobody reads the output any more'));
  });
  return controller.signal;
}
