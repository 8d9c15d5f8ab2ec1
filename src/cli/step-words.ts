import type { Step } from '../plan/plan.ts';

type Given = (name: string) => string;

const point = (of: Given): string => `point ${of('point').slice(0, 8)}`;

const words: Readonly<Record<string, (of: Given) => string>> = {
  'restore': (of) => `restores ${point(of)} beside ${of('path')}`,
  'restore-moment': (of) => `restores ${point(of)} beside ${of('path')}`,
  'moment-reachable': () => 'looks once more whether what is stored by then leads to the moment',
  'restore-over': (of) => `restores ${point(of)} over ${of('path')}: what is equal stays, nothing is kept`,
  'withhold': (of) => `takes out of ${of('path')} what a server would start by`,
  'rescue-log': (of) => `stores what only ${of('path')} has of the log`,
  'replay': () => 'replays the log up to the moment in what was restored',
  'replay-over': (of) => `replays the log up to the moment in ${of('path')}`,
  'switch': (of) => `${of('path')} and what was restored change places`,
  'switch-contents': (of) => `what ${of('path')} holds and what was restored change places`,
  'take-over': (of) => `makes ${of('path')} whole, and hands the grant to write the log over to it`,
  'safety-backup': () => 'backs up what stands there',
  'systemd': (of) => `${of('wanted') === 'yes' ? 'starts' : 'stops'} ${of('unit')}`,
  'command': (of) => `runs ${of('run')}`,
  'http-health': (of) => `asks ${of('url')} how it is`,
};

/** What a step of a plan does, for people; of a kind that isn't known, all that is. */
export function stepWords({ kind, arguments: given }: Pick<Step, 'kind' | 'arguments'>): string {
  const text = (name: string): string => {
    const value = given[name];
    return Array.isArray(value) ? value.join(' ') : String(value);
  };
  return words[kind]?.(text) ?? `${kind} ${JSON.stringify(given)}`;
}
