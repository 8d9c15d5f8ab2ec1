import { HoldfastError } from '../errors/error.ts';
import { onHangUp } from '../host/hang-up.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * The first signal asks for an orderly end: the command stops, removes its lock and exits with 130. The second one
 * ends the program at once; a lock that then stays is stale, and `unlock` removes it. So does a closed terminal, but
 * no other SIGHUP: it is how restic asks whether we live.
 */
export function interruptible(): AbortSignal {
  const controller = new AbortController();
  for (const name of signals) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new HoldfastError('interrupted', `stopped by ${name}`));
    });
  }
  onHangUp(() => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new HoldfastError('interrupted', 'the terminal was closed'));
  });
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    controller.abort(new HoldfastError('interrupted', 'nobody reads the output any more', { cause: error }));
  });
  return controller.signal;
}
