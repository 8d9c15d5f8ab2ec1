import type { Listener, Note } from '../events/events.ts';
import type { Context } from './context.ts';
import { formatBytes, quoteForTerminal } from './format.ts';

export interface StreamView extends Disposable {
  readonly listener: Listener;
  /** All that was asked for is durable. */
  finish(): void;
}

/** What a `log-state` tells; docs/JSON.md, postgres stream. */
interface StreamState {
  readonly received?: string;
  readonly durable?: string;
  readonly receivedBytes?: number;
  readonly lagBytes?: number;
  readonly rpoSeconds?: number;
  readonly places?: readonly { readonly repository: string; readonly away?: string }[];
}

/** On a terminal one line that stays below; else what happens, and with --json a record each second, too. */
export function streamView({ clock, console, listener }: Context, component: string): StreamView {
  let last: StreamState = {};
  let lastMs = clock.monotonicMs();
  const onNote = ({ name, data }: Note): void => {
    if (name === 'log-state') {
      const state: StreamState = data;
      const nowMs = clock.monotonicMs();
      const bytes = (state.receivedBytes ?? 0) - (last.receivedBytes ?? 0);
      const rate = (bytes * 1000) / Math.max(1, nowMs - lastMs);
      [last, lastMs] = [state, nowMs];
      if (console.form === 'json') console.record({ message_type: 'log_status', ...snake(data) });
      else if (console.terminal !== undefined) console.status([quoteForTerminal(stateLine(component, state, rate))]);
      return;
    }
    const { [name]: say } = sentences;
    if (console.form === 'json') console.record({ message_type: name.replaceAll('-', '_'), ...snake(data) });
    else if (say !== undefined) console.say(quoteForTerminal(`${component}: ${say(said(data))}`));
  };
  return {
    listener: (event) => (event.kind === 'note' ? onNote(event) : listener(event)),
    finish: () => console.say(`${component}: durable up to ${last.durable ?? 'nowhere'}`),
    [Symbol.dispose]: () => {
      if (console.form === 'text' && console.terminal !== undefined) console.status([]);
    },
  };
}

function stateLine(component: string, state: StreamState, rate: number): string {
  const { durable, lagBytes, rpoSeconds, places = [] } = state;
  const away = places.filter((place) => place.away !== undefined).map(({ repository }) => repository);
  return [
    component,
    durable === undefined ? 'nothing is known to be durable' : `durable up to ${durable}`,
    `${formatBytes(Math.round(Math.max(0, rate)))}/s`,
    ...(lagBytes === undefined ? [] : [`${formatBytes(lagBytes)} behind`]),
    ...(rpoSeconds === undefined ? [] : [`RPO ${rpoSeconds.toFixed(1)} s`]),
    ...(away.length === 0 ? [] : [`AWAY: ${away.join(', ')}`]),
  ].join('  ');
}

type Data = Note['data'];

const sentences: Readonly<Record<string, (data: Said) => string>> = {
  'log-began': ({ from, epoch, slot }) => `its log is followed from ${from} on timeline ${epoch}, by the slot ${slot}`,
  'log-server-back': ({ from, epoch }) =>
    `the server answers again; its log is followed from ${from} on timeline ${epoch}`,
  'log-place-back': ({ repository }) => `${repository} takes the log again`,
  'log-slot-created': ({ slot, before }) => `the slot ${slot} was created; before it was ${before}`,
  'log-epoch': ({ parent, epoch, forkedAt }) =>
    `timeline ${parent} has ended at ${forkedAt}; timeline ${epoch} goes on`,
  'log-gap': ({ from, to, repository, reason }) => `GAP in ${repository}: ${from} to ${to} is lost: ${reason}`,
  'base-backup-due': ({ reason }) => `a base backup is due: ${reason}`,
  'log-sighting-failed': ({ repository, reason }) =>
    `${repository} was not told that nothing else was written: ${reason}`,
  'log-last-piece-failed': ({ repository, reason }) => `${repository} did not take what came last: ${reason}`,
};

type Said = Readonly<Record<string, string>>;

function said(data: Data): Said {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, String(value)]));
}

function snake(data: Data): Data {
  const name = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [name(key), value]));
}
