import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { ForeignFolder } from '../../../host/foreign-folder.ts';
import type { Replay } from '../../recovery.ts';
import type { RehearsedStep } from '../../rehearsal.ts';
import type { Description } from '../description.ts';
import { settingLines } from '../isolated-settings.ts';
import { lsnText } from '../lsn.ts';
import { inside, ownFolder, serverLog, type DataOwner } from '../sandbox-files.ts';
import { speaksOfSurroundings } from '../surroundings.ts';
import { Feeder, spoolName } from './feeder.ts';
import { fetchScript } from './fetch-script.ts';
import { shortOfEnd } from './reached-end.ts';
import { ServerWords, type Said } from './server-words.ts';
import { enough, quoted, replaySettings } from './settings.ts';

export interface Inside {
  readonly replay: Omit<Replay, 'folder'>;
  readonly restored: string;
  readonly component: string;
  readonly owner: DataOwner;
  readonly description: Description;
}

/**
 * Has a server that is started in a sandbox replay the log up to a moment: its files are handed in from outside, through a
 * folder that both see. A log that can't be had accuses nobody's copy.
 */
export async function replayInside(
  given: Inside,
  start: () => Promise<RehearsedStep>,
): Promise<readonly RehearsedStep[]> {
  const { replay, restored } = given;
  using own = ForeignFolder.open(join(restored, ownFolder));
  using feeder = prepared(given, own);
  const over = new AbortController();
  const feeding = feeder.run(AbortSignal.any([over.signal, replay.signal]));
  feeding.catch(() => undefined); // it has the server stop, and is heard then
  const started = await start();
  const said = started.state === 'passed' ? await whenOver(restored, replay) : undefined;
  over.abort();
  const step = { name: 'replay', expected: 'the log leads to the moment' } as const;
  try {
    await feeding;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return [{ ...step, state: 'not run', found: error.message }];
  }
  if (said === undefined) return [started];
  const short = said.isOpen ? shortOfEnd(replay, said.redoneTo) : undefined;
  if (short !== undefined) return [started, { ...step, state: 'failed', found: short }];
  if (said.isOpen) return [started, { ...step, state: 'passed', found: whereOf(said) }];
  const found = said.errors.join('; ').slice(-2000);
  return [started, { ...step, state: speaksOfSurroundings(found) ? 'not run' : 'failed', found }];
}

const pauseMs = 20;
/** A server tells of each file of the log, which is replayed in seconds. */
const quietMs = 30 * 60_000;

/** pg_ctl takes a server for started that still replays: its log says when it is through. */
async function whenOver(restored: string, { clock, signal }: Inside['replay']): Promise<Said> {
  let [length, heardMs] = [0, clock.monotonicMs()];
  for (;;) {
    const words = new ServerWords();
    const text = serverLog(restored);
    for (const line of text.split('\n')) words.hear(line);
    if (words.said.isOpen || words.said.isShut) return words.said;
    if (text.length !== length) [length, heardMs] = [text.length, clock.monotonicMs()];
    if (clock.monotonicMs() - heardMs > quietMs)
      throw new HoldfastError('refused', 'the server that replays the log has said nothing for 30 minutes');
    await clock.sleep(pauseMs, signal);
  }
}

function prepared({ replay, restored, component, owner, description }: Inside, own: ForeignFolder): Feeder {
  const { walSegmentBytes, capacities } = description;
  using folder = ForeignFolder.open(join(restored, component));
  using data = folder.folder('data');
  own.put('fetch', fetchScript, { owner });
  data.put('recovery.signal', '', { owner });
  // What feeds it is gone only together with the sandbox.
  const words = ['/bin/sh', `${inside}/fetch`, `${inside}/${spoolName}`, `${inside}/${spoolName}`].map(quoted);
  const command = [...words, '"%f"', '"%p"'].join(' ');
  const settings = { ...enough(capacities, replay.needs), ...replaySettings(command, replay) };
  const name = 'postgresql.conf';
  own.put(name, `${own.text(name) ?? ''}${settingLines(settings)}`, { owner });
  return new Feeder({ ...replay, own, segmentBytes: walSegmentBytes, owner });
}

function whereOf({ stopped, redoneTo, lastCommit }: Said): string {
  const at = redoneTo === undefined ? '' : `, the last record at ${lsnText(redoneTo)}`;
  const time = lastCommit === undefined ? '' : `, the last transaction of ${lastCommit}`;
  return `${stopped ?? 'stopping at the end of the log'}${at}${time}`;
}
