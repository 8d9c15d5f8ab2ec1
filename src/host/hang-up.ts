import { isatty } from 'node:tty';

/**
 * SIGHUP has two meanings. The terminal was closed: then who runs the program is gone. Or restic, on `unlock`, asks
 * whether the holder of a lock lives: it sends the signal to the process, and takes the lock away from one that died
 * of it. So a program with a lock must outlive the signal unless the terminal is really gone.
 */
export function onHangUp(terminalGone: () => void): Disposable {
  const hadTerminal = hasTerminal();
  const heard = (): void => {
    if (hadTerminal && !hasTerminal()) terminalGone();
  };
  process.on('SIGHUP', heard);
  return { [Symbol.dispose]: () => void process.off('SIGHUP', heard) };
}

function hasTerminal(): boolean {
  return [0, 1, 2].some((descriptor) => isatty(descriptor));
}
