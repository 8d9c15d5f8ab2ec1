import type { Listener } from '../../events/events.ts';

/** Has people told that something failed and is tried again. */
export function tellRetry(listener: Listener, what: string): (error: unknown, pauseMs: number) => void {
  return (error, pauseMs) => {
    const words = error instanceof Error ? error.message : error;
    listener({ kind: 'note', name: 'storage-retry', data: { what, pauseMs, error: words } });
  };
}
