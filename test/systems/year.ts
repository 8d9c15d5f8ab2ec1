import assert from 'node:assert/strict';
import { placesOf, type Component, type Rule } from '../../src/policy/policy.ts';
import { kept, type Dated } from './kept.ts';
import type { Stage } from './stage.ts';

export interface Year {
  readonly rounds: readonly Round[];
  /** Is out of reach in every other round. */
  readonly rotated: string;
  /** What people and programs do meanwhile. */
  readonly change: (round: number) => Promise<void>;
}

export interface Round {
  /** How many hours pass before it. */
  readonly hours: number;
  /** Which components are backed up and forgotten in it. */
  readonly components: readonly string[];
}

/** What a year has shown. */
export interface YearOutcome {
  readonly backups: number;
  readonly forgotten: number;
}

/**
 * Rounds of backups, copies and forgetting over a year, in which one repository is out of reach every other time. After
 * each, every repository holds of every rule exactly what its keep rules demand: what came to it while it was in
 * reach, what it caught up on, and nothing that was forgotten before.
 */
export async function liveThrough(stage: Stage, { rounds, rotated, change }: Year): Promise<YearOutcome> {
  const books = rulesOf(stage).map((rule) => new Book(rule));
  for (const [number, { hours, components }] of rounds.entries()) {
    stage.clock.skipHours(hours);
    await change(number);
    const away = number % 2 === 1 ? rotated : undefined;
    if (away !== undefined) await stage.carry(away, 'away');
    const meant = books.filter(({ component }) => components.includes(component));
    await goRound(stage, meant, components, away);
    const found = await held(stage, [], away);
    for (const book of meant) book.keptForLog(found, stage.clock.nowNs(), away);
    assertHeld(books, found, away, `round ${number}`);
    assertReplayable(meant, found, { away, nowNs: stage.clock.nowNs() });
    if (away !== undefined) await stage.carry(away, 'back');
  }
  const count = (what: (book: Book) => number): number => books.reduce((sum, book) => sum + what(book), 0);
  return { backups: count(({ made }) => made), forgotten: count(({ forgotten }) => forgotten) };
}

/** Backs components up and forgets, and writes down what each repository has to hold now. */
async function goRound(
  stage: Stage,
  books: readonly Book[],
  components: readonly string[],
  away: string | undefined,
): Promise<void> {
  const fails = books.some(({ places }) => away !== undefined && places.includes(away));
  await stage.ok(['backup', ...components, '--quiet'], fails ? 1 : 0);
  const fresh = await held(stage, components, away);
  for (const book of books) book.backedUp(fresh, away);
  await stage.ok(['forget', ...components, '--quiet'], fails ? 3 : 0);
  for (const book of books) book.forgot(away);
}

interface RuleHere {
  readonly component: string;
  readonly ruleName: string;
  readonly rule: Rule;
  /** How long any moment can be brought back that this rule's backups lead to, in nanoseconds, by place. */
  readonly windows: ReadonlyMap<string, bigint>;
}

function windowsOf(log: Component['log'], { method }: Rule): RuleHere['windows'] {
  const places = method === 'physical' ? Object.entries(log?.to ?? {}) : [];
  return new Map(places.map(([place, { window }]) => [place, BigInt(window.ms) * 1_000_000n]));
}

function rulesOf({ policy }: Stage): readonly RuleHere[] {
  return Object.entries(policy.components).flatMap(([component, { backups, log }]) =>
    Object.entries(backups).map(([ruleName, rule]) => ({ component, ruleName, rule, windows: windowsOf(log, rule) })),
  );
}

/** By `component rule repository`. */
type Held = ReadonlyMap<string, readonly Dated[]>;

/** Of all components where none are named. What is away can't be asked. */
async function held(stage: Stage, components: readonly string[], away: string | undefined): Promise<Held> {
  const codes = away === undefined ? [0] : [0, 3];
  const points = JSON.parse(await stage.ok(['snapshots', ...components, '--points', '--json'], ...codes)) as readonly {
    readonly component: string;
    readonly rule: string;
    readonly identity: string;
    readonly time: string;
    readonly copies: readonly { readonly repository: string }[];
  }[];
  const found = points.flatMap(({ component, rule, identity, time, copies }) =>
    copies.map(({ repository }) => ({
      key: `${component} ${rule} ${repository}`,
      dated: { identity, timeNs: Temporal.Instant.from(time).epochNanoseconds },
    })),
  );
  const groups = Map.groupBy(found, ({ key }) => key);
  return new Map([...groups].map(([key, all]) => [key, all.map(({ dated }) => dated)]));
}

/** What each repository has to hold of one rule. */
class Book {
  readonly #of: RuleHere;
  readonly component: string;
  readonly places: readonly string[];
  readonly #held: Map<string, readonly Dated[]>;
  readonly #before = new Map<string, readonly Dated[]>();
  made = 0;
  forgotten = 0;

  constructor(of: RuleHere) {
    this.#of = of;
    this.component = of.component;
    this.places = placesOf(of.rule);
    this.#held = new Map(this.places.map((place) => [place, []]));
  }

  key(place: string): string {
    return `${this.#of.component} ${this.#of.ruleName} ${place}`;
  }

  at(place: string): readonly Dated[] {
    return this.#held.get(place) ?? [];
  }

  /** One new backup in the first place, unless that is away; each other one catches up on what it would keep. */
  backedUp(fresh: Held, away: string | undefined): void {
    const [first = '', ...others] = this.places;
    if (first === away) return;
    const known = this.at(first).map(({ identity }) => identity);
    const added = (fresh.get(this.key(first)) ?? []).filter(({ identity }) => !known.includes(identity));
    assert.equal(added.length, 1, `new backups of ${this.key(first)}`);
    this.made += 1;
    this.#held.set(first, [...this.at(first), ...added]);
    for (const place of others.filter((one) => one !== away)) {
      const has = this.at(place).map(({ identity }) => identity);
      const lacking = this.at(first).filter(({ identity }) => !has.includes(identity));
      const wanted = kept([...this.at(place), ...lacking], this.#keep(place));
      this.#held.set(place, [...this.at(place), ...lacking.filter((one) => wanted.includes(one))]);
    }
  }

  /** Where the window of a log begins in a place. */
  begins(place: string, nowNs: bigint): bigint | undefined {
    const window = this.#of.windows.get(place);
    return window === undefined ? undefined : nowNs - window;
  }

  /** Those that were there at the last time of forgetting. */
  before(place: string): readonly Dated[] {
    return this.#before.get(place) ?? [];
  }

  /**
   * What the window of a log may need stays, whatever the keep rules say. In this year none of the log itself is kept, so
   * that any of them may be needed; which are where it is, test/log-windows.test.ts says.
   */
  keptForLog(found: Held, nowNs: bigint, away: string | undefined): void {
    for (const place of this.places.filter((one) => one !== away)) {
      if (this.begins(place, nowNs) === undefined) continue;
      const there = new Set((found.get(this.key(place)) ?? []).map(({ identity }) => identity));
      const wanted = this.at(place).map(({ identity }) => identity);
      const more = this.before(place).filter(({ identity }) => !wanted.includes(identity) && there.has(identity));
      this.forgotten -= more.length;
      const byTime = (a: Dated, b: Dated): number => (a.timeNs < b.timeNs ? -1 : 1);
      this.#held.set(place, [...more, ...this.at(place)].toSorted(byTime));
    }
  }

  forgot(away: string | undefined): void {
    for (const place of this.places.filter((one) => one !== away)) {
      this.#before.set(place, this.at(place));
      const left = kept(this.at(place), this.#keep(place));
      this.forgotten += this.at(place).length - left.length;
      this.#held.set(place, left);
    }
  }

  #keep(place: string): Rule['to'][string]['keep'] {
    const keep = this.#of.rule.to[place]?.keep;
    if (keep === undefined) throw new Error(`${place} is no repository of the rule`);
    return keep;
  }
}

function assertHeld(books: readonly Book[], found: Held, away: string | undefined, when: string): void {
  const ids = (all: readonly Dated[]): readonly string[] => all.map(({ identity }) => identity).toSorted();
  for (const book of books) {
    for (const place of book.places.filter((one) => one !== away))
      assert.deepEqual(ids(found.get(book.key(place)) ?? []), ids(book.at(place)), `${book.key(place)}, ${when}`);
  }
}

/** The oldest moment of a window is replayed from a backup before it: where there was one, there is one. */
function assertReplayable(
  books: readonly Book[],
  found: Held,
  { away, nowNs }: { readonly away: string | undefined; readonly nowNs: bigint },
): void {
  for (const [component, own] of Map.groupBy(books, (book) => book.component))
    for (const place of new Set(own.flatMap(({ places }) => places)).difference(new Set([away]))) {
      const isOld = (book: Book, { timeNs }: Dated): boolean => timeNs <= (book.begins(place, nowNs) ?? 0n);
      const had = own.some((book) => book.before(place).some((one) => isOld(book, one)));
      const has = own.some((book) => (found.get(book.key(place)) ?? []).some((one) => isOld(book, one)));
      assert.ok(has || !had, `${component} in ${place} has lost what its window begins with`);
    }
}
