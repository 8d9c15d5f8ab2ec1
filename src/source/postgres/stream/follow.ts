import { HoldfastError } from '../../../errors/error.ts';
import { lsnText, parseLsn } from '../lsn.ts';
import type { LogWork, StreamOptions } from '../../log.ts';
import { Streamer, type Following } from './streamer.ts';

/**
 * Streams a cluster's log into the places of a component, until it is aborted, or `until` is durable. When another
 * cluster answers (after pg_upgrade, or behind the same address) its log is a stream of its own.
 */
export async function followLog(
  work: LogWork,
  { mostLagBytes, until }: StreamOptions,
  address: Following['address'],
  heartbeat?: Following['heartbeat'],
): Promise<void> {
  const following: Following = {
    work,
    mostLagBytes,
    until: until === undefined ? undefined : positionOf(until),
    address,
    heartbeat,
  };
  for (let hasStreamed = false; ; hasStreamed = true) {
    const outcome = await new Streamer(following, { hasStreamed }).run();
    if (outcome === 'done') return;
    const { component, listener } = work;
    listener({
      kind: 'warning',
      during: 'log',
      item: component,
      message: ended[outcome],
    });
  }
}

const ended = {
  'another stream': 'another cluster answers by now: its log is a stream of its own, and needs a base backup',
  'another history':
    'the server’s history has left the timeline that was followed before its end: what came after that stays, and is no part of this server’s history',
} as const;

function positionOf(text: string): bigint {
  try {
    return parseLsn(text);
  } catch (cause) {
    throw new HoldfastError(
      'usage',
      `${JSON.stringify(text)} is no position of a log, such as ${lsnText(0x16b374d848n)}`,
      {
        cause,
      },
    );
  }
}
