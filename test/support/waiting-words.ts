/** Words of shared memory: what a worker that waits for its main thread is told, and how often it finished. */
export const words = { mayAsk: 0, room: 1, finished: 2 } as const;

export type WaitingMessage = 'begun' | 'room?' | 'finished';
