import { HoldfastError, hasCode } from '../../../errors/error.ts';
import type { TaskGroup } from '../../../flow/task-group.ts';
import type { Sighting } from '../../../log/log.ts';
import { lsnText } from '../lsn.ts';
import { logConflicts } from '../timeline-taken.ts';
import { Beating } from './beating.ts';
import { Feed } from './feed.ts';
import type { LogServer } from './log-server.ts';
import { Marks } from './marks.ts';
import { Place } from './place.ts';
import type { NextTimeline } from './session.ts';
import { tellSightings } from './sightings.ts';
import type { Following } from './streamer.ts';

/** A request or three to each place, as often. */
const [sightingMs, beatenMs] = [60_000, 20_000] as const;

/** Ends the work on a stream. */
export class Ended extends Error {
  override readonly name = 'Ended';
  readonly outcome: 'done' | 'another stream' | 'another history';

  constructor(outcome: Ended['outcome']) {
    super(outcome);
    this.outcome = outcome;
  }
}

type Ancestry = Pick<LogServer, 'histories' | 'lineage'>;

/** What is known of one stream: what came of it, where it is durable, where it goes on. */
export class State {
  readonly stream: string;
  readonly feed: Feed;
  /** Where the policy wants a heartbeat. */
  readonly beating: Beating | undefined;
  readonly #following: Following;
  readonly #places: readonly Place[];
  readonly #segmentBytes: bigint;
  readonly #marks = new Marks();
  #ancestry: Ancestry;
  #serverEnd = 0n;
  #begun = 0n;
  #receivedBytes = 0;
  #lost = { before: 0n, reason: 'no place holds it' };
  #rewindTo: bigint | undefined;
  #rewind = new AbortController();
  #group: TaskGroup | undefined;

  constructor(following: Following, { stream, segmentBytes, histories, lineage }: LogServer) {
    const { component, places, clock, listener } = following.work;
    this.stream = stream;
    this.#following = following;
    this.beating = following.heartbeat && new Beating(following.heartbeat);
    this.#segmentBytes = BigInt(segmentBytes);
    this.#ancestry = { histories, lineage };
    this.feed = new Feed({ segmentBytes, readers: () => this.#places });
    this.#places = places.map(
      (place) =>
        new Place({
          place,
          name: { component, stream },
          feed: this.feed,
          clock,
          listener,
          lineage: () => this.#ancestry.lineage,
          histories: () => this.#ancestry.histories,
          others: () => this.#places.filter((one) => one.repository !== place.repository),
          begun: () => this.#begun,
          lost: () => this.#lost,
          rewind: (to) => this.#askRewind(to),
          onDurable: () => this.#onDurable(),
        }),
    );
  }

  /** Where a connection begins. */
  resume(): { readonly epoch: number; readonly at: bigint } {
    return this.feed.resume() ?? this.position;
  }

  /** Up to where the log has come. */
  get position(): { readonly epoch: number; readonly at: bigint } {
    const { end } = this.feed;
    if (end === undefined) throw new HoldfastError('internal', 'the log was not begun');
    return end;
  }

  /** What every required place has; undefined while one of them can't tell. */
  get durable(): bigint | undefined {
    const all = this.#places.filter(({ required }) => required).map(({ durable }) => durable);
    return all.reduce((a, b) => (a === undefined || b === undefined ? undefined : a < b ? a : b));
  }

  /**
   * What the server hears: never more than is durable, nothing of what it has not sent on this timeline, and nothing
   * before what is lost, for which it would keep its log again.
   */
  get told(): { readonly written: bigint; readonly flushed: bigint } {
    const { durable, feed } = this;
    const written = feed.end?.at ?? 0n;
    if (durable === undefined) return { written, flushed: 0n };
    const flushed = durable > this.#lost.before ? durable : this.#lost.before;
    return { written, flushed: flushed > written ? 0n : flushed };
  }

  get isRewinding(): boolean {
    return this.#rewindTo !== undefined;
  }

  rewinding(): AbortSignal {
    return this.#rewind.signal;
  }

  knows({ histories, lineage }: Ancestry): void {
    this.#ancestry = { histories, lineage };
  }

  /** Begins where a required place is furthest behind, else where the slot keeps the log from, else now. */
  async start(group: TaskGroup, server: LogServer, restart: bigint | undefined): Promise<void> {
    if (this.feed.end !== undefined) return;
    const reached = await this.#open(group.signal);
    const known = reached.filter((one) => one !== undefined);
    if (known.length === 0) this.#sayDue('the log begins here');
    // What the slot keeps is what a place that holds nothing, or can't tell, may lack.
    const from = known.length === reached.length ? known : [...known, restart ?? server.end];
    this.#begin(from.reduce((a, b) => (a < b ? a : b)));
    this.#group = group;
    for (const place of this.#places) group.run(async (signal) => await place.run(signal));
    const { component, clock, listener } = this.#following.work;
    const everyMs = this.beating === undefined ? sightingMs : beatenMs;
    const seeing = { component, clock, listener, places: this.#places, sighting: () => this.#sighting(), everyMs };
    group.run(async (signal) => await tellSightings(seeing, signal));
  }

  #sighting(): Sighting | undefined {
    const { durable } = this;
    const { clock } = this.#following.work;
    const reachedMs = durable === undefined ? undefined : this.#marks.reachedMs(durable);
    if (durable === undefined || reachedMs === undefined) return undefined;
    const agoNs = BigInt(Math.round((clock.monotonicMs() - reachedMs) * 1_000_000));
    const epoch = this.#ancestry.lineage.epochs.find(({ from }) => from <= durable)?.epoch;
    const beatMs = this.beating?.reachedMs(durable);
    const heartbeatNs = beatMs === undefined ? undefined : BigInt(beatMs) * 1_000_000n;
    return epoch === undefined ? undefined : { epoch, at: durable, timeNs: clock.nowNs() - agoNs, heartbeatNs };
  }

  /** Where each required place has come to; undefined of one that holds nothing, or joins later. */
  async #open(signal: AbortSignal): Promise<readonly (bigint | undefined)[]> {
    const opened = await Promise.allSettled(this.#places.map(async (place) => await place.open(signal)));
    const failures = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    for (const error of failures) if (!(error instanceof HoldfastError) || hasCode(error, ...final)) throw error;
    const required = opened.filter((_, index) => this.#places[index]?.required);
    if (required.every(({ status }) => status === 'rejected')) throw failures[0];
    return required.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  }

  #begin(at: bigint): void {
    const { epochs } = this.#ancestry.lineage;
    const within = epochs.find(({ from }) => from <= at);
    if (within === undefined) throw new HoldfastError('internal', 'no timeline holds a position of the log');
    const start = this.#floor(at);
    this.#begun = start > within.from ? start : within.from;
    this.feed.begin(within.epoch, start, this.#begun);
  }

  /** Another server may answer by now, whose history has left ours before where we are: then all is looked at anew. */
  assertOn({ lineage }: LogServer): void {
    const { end } = this.feed;
    const own = this.#ancestry.lineage.epochs.find(({ epoch }) => epoch === end?.epoch);
    if (end === undefined || own === undefined) return;
    const here = lineage.epochs.find(({ epoch }) => epoch === end.epoch);
    const isOurs = here?.from === own.from && (here.to === undefined || end.at <= here.to);
    if (!isOurs) throw new Ended('another history');
  }

  /** The timeline has ended where we are. */
  nextEpoch({ epoch, at }: NextTimeline): void {
    const before = this.position;
    if (before.at !== at)
      throw new HoldfastError(
        'source-failed',
        `timeline ${before.epoch} ended at ${lsnText(at)}, before all of it came`,
      );
    this.feed.close('partial');
    this.feed.begin(epoch, this.#floor(at), at);
    this.#note('log-epoch', { epoch, parent: before.epoch, forkedAt: lsnText(at) });
  }

  /** The server has nothing before a position any more; false where it still has what comes next. */
  lose(before: bigint, { timeline, lineage }: LogServer, reason: string): boolean {
    const at = this.#floor(before);
    const { end } = this.feed;
    this.#lost = { before: at, reason };
    if (end === undefined) return true;
    if (at <= end.at) return false;
    this.knows({ ...this.#ancestry, lineage });
    this.feed.close('cut');
    this.feed.begin(timeline, at);
    this.#sayDue(`the server has lost its log before ${lsnText(at)}: ${reason}`);
    return true;
  }

  async received(from: bigint, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.feed.put(from, bytes, signal);
    this.#receivedBytes += bytes.length;
  }

  heard(end: bigint): void {
    if (end > this.#serverEnd) this.#serverEnd = end;
    this.#marks.add(end, this.#following.work.clock.monotonicMs());
  }

  /** Whether a place has asked for what came before; then nothing is held any more. */
  takeRewind(): boolean {
    if (this.#rewindTo === undefined) return false;
    this.#rewind = new AbortController();
    const to = this.#rewindTo;
    this.#rewindTo = undefined;
    this.feed.reset();
    this.#begin(to);
    return true;
  }

  tell(): void {
    const { clock } = this.#following.work;
    const { durable } = this;
    const reachedMs = durable === undefined ? undefined : this.#marks.reachedMs(durable);
    this.#note('log-state', {
      epoch: this.feed.end?.epoch,
      received: lsnText(this.feed.end?.at ?? 0n),
      durable: durable === undefined ? undefined : lsnText(durable),
      receivedBytes: this.#receivedBytes,
      lagBytes: durable === undefined ? undefined : Number(this.#serverEnd > durable ? this.#serverEnd - durable : 0n),
      rpoSeconds: reachedMs === undefined ? undefined : Math.round(clock.monotonicMs() - reachedMs) / 1000,
      heartbeat: durable === undefined ? undefined : timeText(this.beating?.reachedMs(durable)),
      places: this.#places.map(({ repository, durable: at, away }) => ({
        repository,
        durable: at === undefined ? undefined : lsnText(at),
        away,
      })),
    });
    if (this.#isDone()) this.#group?.cancel(new Ended('done'));
  }

  #askRewind(to: bigint): void {
    if (this.#rewindTo === undefined || to < this.#rewindTo) this.#rewindTo = to;
    this.#rewind.abort(new HoldfastError('source-failed', 'a place needs what came before'));
  }

  #onDurable(): void {
    if (!this.#isDone()) return;
    this.tell();
  }

  #isDone(): boolean {
    const { until } = this.#following;
    return until !== undefined && this.durable !== undefined && this.durable >= until;
  }

  #floor(at: bigint): bigint {
    return at - (at % this.#segmentBytes);
  }

  #sayDue(reason: string): void {
    this.#note('base-backup-due', { reason });
  }

  #note(name: string, data: Readonly<Record<string, unknown>>): void {
    const { component, listener } = this.#following.work;
    listener({ kind: 'note', name, data: { component, stream: this.stream, ...data } });
  }
}

function timeText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : Temporal.Instant.fromEpochMilliseconds(ms).toString();
}

const final = [...logConflicts, 'unsupported', 'internal'] as const;
