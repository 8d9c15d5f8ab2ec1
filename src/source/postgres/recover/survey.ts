import type { Extent } from '../../../log/log.ts';
import type { MomentAsked, Stop } from '../../../point/moment.ts';
import type { LogReader, Survey } from '../../recovery.ts';
import { lsnText } from '../lsn.ts';
import type { Sidecar } from '../wal/sidecar.ts';
import { recordBetween, type Ending, type LogEvent } from '../wal/summary.ts';
import { holdsXid } from '../wal/xid-ranges.ts';
import { endingsIn, lastWholeIn } from './endings.ts';
import { readSegment, readSummary } from './read-summary.ts';

const atOnce = 16;

/**
 * Reads what is told of each segment from where a replay begins up to where it stops: by sidecars, and the very segment
 * that a transaction may end it in.
 */
export async function surveyLog(asked: MomentAsked, log: LogReader): Promise<Survey> {
  const surveyor = new Surveyor(asked, log);
  for (let at = 0; at < log.order.length && !surveyor.isDone; at += atOnce) {
    const extents = log.order.slice(at, at + atOnce);
    const read = await Promise.all(extents.map(async (extent) => await readSummary(log, extent)));
    for (const [index, sidecar] of read.entries()) {
      const extent = extents[index];
      if (extent !== undefined && !surveyor.isDone) await surveyor.add(extent, sidecar);
    }
  }
  await surveyor.finish();
  return surveyor.survey;
}

class Surveyor {
  readonly #asked: MomentAsked;
  readonly #log: LogReader;
  #before: Sidecar | undefined;
  #stop: Stop | undefined;
  #last: Stop | undefined;
  #end: bigint | undefined;
  /** The segment, the newest so far, whose last record its own end cuts in two. */
  #cut: Extent | undefined;
  #isAfter = false;
  #version: number | undefined;
  readonly #obstacles: string[] = [];
  readonly #needs: Record<string, number> = {};

  constructor(asked: MomentAsked, log: LogReader) {
    this.#asked = asked;
    this.#log = log;
  }

  get isDone(): boolean {
    return this.#stop !== undefined;
  }

  get survey(): Survey {
    const [stop, last, obstacles, needs] = [this.#stop, this.#last, this.#obstacles, this.#needs];
    const begins = this.#isAfter ? 'after' : 'before';
    return { stop, last, obstacles, needs, end: this.#end, begins, version: this.#version };
  }

  async add(extent: Extent, sidecar: Sidecar): Promise<void> {
    const { major, summary } = sidecar;
    this.#version = major;
    const between = this.#before && recordBetween(this.#before.summary, summary, major);
    if (between !== undefined) this.#meet(between);
    if (this.#stop === undefined) await this.#within(extent, sidecar);
    for (const event of summary.events) if (this.#stop === undefined || event.lsn < this.#stop.at) this.#note(event);
    this.#before = sidecar;
    const isCut = summary.tail !== undefined && summary.tail.lsn === summary.lastLsn;
    this.#cut = isCut ? extent : undefined;
    if (!isCut) this.#end = summary.lastLsn ?? this.#end;
  }

  /** What the end of all that is held cuts in two is not seen whole: the record before it is. */
  async finish(): Promise<void> {
    if (this.#cut === undefined || this.#asked.moment.kind !== 'latest') return;
    const { facts, bytes } = await readSegment(this.#log, this.#cut);
    this.#end = lastWholeIn(facts, bytes) ?? this.#end;
  }

  async #within(extent: Extent, { summary }: Sidecar): Promise<void> {
    const { moment } = this.#asked;
    if (moment.kind === 'name') for (const event of summary.events) this.#meet(event);
    const { lastLsn = 0n, tail, endings } = summary;
    const newest = tail !== undefined && tail.lsn > lastLsn ? tail.lsn : lastLsn;
    if (moment.kind === 'position' && newest >= moment.at) this.#stop = { at: moment.at, timeNs: undefined };
    if (endings === undefined) return;
    if (this.#mayEnd(sidecarEndings(endings))) {
      const { facts, bytes } = await readSegment(this.#log, extent);
      for (const ending of endingsIn(facts, bytes)) this.#meet({ ...ending, endLsn: ending.lsn });
    }
    if (this.#stop === undefined && endings.last.lsn >= this.#log.from) this.#last = stopAt(endings.last);
  }

  #mayEnd({ latestNs, held }: Held): boolean {
    const { moment } = this.#asked;
    if (moment.kind === 'time') return this.#isBeyond(latestNs);
    return moment.kind === 'transaction' && held(moment.id);
  }

  /** Something that is told of one record: the first that is the moment ends the replay. */
  #meet(record: Ending | LogEvent): void {
    if (this.#stop !== undefined || !this.#isMoment(record)) return;
    if (record.lsn < this.#log.from) this.#isAfter = true;
    else this.#stop = stopAt(record);
  }

  #isMoment(record: Ending | LogEvent): boolean {
    const { moment } = this.#asked;
    if (moment.kind === 'name') return record.kind === 'restore-point' && record.name === moment.name;
    if (record.kind !== 'commit' && record.kind !== 'abort') return false;
    if (moment.kind === 'time') return this.#isBeyond(record.timeNs);
    return moment.kind === 'transaction' && record.xid === moment.id;
  }

  /** As the server holds it against the time that it is given, in microseconds. */
  #isBeyond(timeNs: bigint): boolean {
    const { moment, edge } = this.#asked;
    if (moment.kind !== 'time') return false;
    const [theirs, wanted] = [timeNs / 1000n, moment.timeNs / 1000n];
    return edge === 'included' ? theirs > wanted : theirs >= wanted;
  }

  #note(event: LogEvent): void {
    if (event.lsn < this.#log.from) return;
    if (event.kind === 'tablespace-created' && event.path !== '')
      this.#obstacles.push(`at ${lsnText(event.lsn)} a tablespace is made in ${event.path}, which is production’s`);
    if (event.kind !== 'capacities') return;
    for (const [name, value] of Object.entries(event.capacities))
      this.#needs[name] = Math.max(value, this.#needs[name] ?? 0);
  }
}

interface Held {
  readonly latestNs: bigint;
  readonly held: (xid: number) => boolean;
}

function sidecarEndings({
  latestNs,
  committed,
}: {
  readonly latestNs: bigint;
  readonly committed: Parameters<typeof holdsXid>[0];
}): Held {
  return { latestNs, held: (xid) => holdsXid(committed, xid) !== 'no' };
}

function stopAt(record: Ending | LogEvent): Stop {
  return { at: record.lsn, timeNs: 'timeNs' in record ? record.timeNs : undefined };
}
