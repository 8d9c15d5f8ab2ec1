import { chmodSync, closeSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { fieldsInText, textOf } from '../bytes/fields.ts';
import { HoldfastError } from '../errors/error.ts';
import { prepared, schema, schemaVersion, type Statements } from './catalogue-schema.ts';
import { factFields, factsOf, recordName } from './form.ts';
import type { RecordKind, StoredRecord } from './record.ts';
import type { Position } from './walk.ts';

export interface ChainName {
  readonly component: string;
  readonly writer: string;
}

/** What is asked for; an empty list means all. */
export interface RecordFilter {
  readonly components: readonly string[];
  readonly kinds: readonly RecordKind[];
  readonly sinceNs?: bigint;
}

/** How long another process may write. */
const patienceMs = 10_000;

/**
 * What this host remembers of a repository's records, so that each is read once and found by component, kind and time.
 * A cache: it is made anew from the repository whenever it is gone, damaged or of another version, and nobody asks it
 * whether records are true. Several processes may use one at once; a kill at any moment leaves whole batches, each with
 * the position up to which its chain was read. Throws 'damaged' where it is no catalogue of this version, 'refused'
 * where this host can't keep it.
 */
export class Catalogue implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;

  /** In a file, the user's alone; in memory without a path. */
  constructor(path: string | undefined) {
    this.#database = guarded(() => openDatabase(path));
    try {
      this.#statements = guarded(() => prepared(this.#database));
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** How far a chain was read from this start on; the start where nothing is known, or it was read for other keys. */
  position({ component, writer }: ChainName, start: Position): Position {
    const row = guarded(() => this.#statements.position.get(component, writer, keysText(start.trusted)));
    if (row === undefined) return start;
    return { sequence: Number(row['sequence']), hash: String(row['hash']), trusted: keysIn(String(row['trusted'])) };
  }

  chains(): readonly ChainName[] {
    return guarded(() => this.#statements.chains.all()).map(chainOf);
  }

  /** Adds the records between two positions, all or none; false and none where the chain isn't at the first any more. */
  append(
    chain: ChainName,
    records: readonly StoredRecord[],
    { start, from, to }: { readonly start: Position; readonly from: Position; readonly to: Position },
  ): boolean {
    return this.#atOnce(() => {
      if (this.position(chain, start).sequence !== from.sequence) return false;
      if (from.sequence === 0) this.#forget(chain);
      const place = [to.sequence, to.hash, keysText(to.trusted)];
      const row = this.#statements.reach.get(chain.component, chain.writer, keysText(start.trusted), ...place);
      for (const record of records) this.#statements.add.run(Number(row?.['id']), ...valuesOf(record));
      return true;
    });
  }

  /** Nothing is known of the chain any more. */
  drop(chain: ChainName): void {
    this.#atOnce(() => this.#forget(chain));
  }

  /** Oldest first, as it stands now: what is added meanwhile doesn't show. */
  *records(filter: RecordFilter): Generator<StoredRecord, void, undefined> {
    try {
      const chains = new Map(this.#statements.chains.all().map((row) => [Number(row['id']), chainOf(row)]));
      const { where, values } = conditionOf(filter, chains);
      const rows = this.#database.prepare(
        `SELECT ${columns.join(', ')} FROM record ${where} ORDER BY at, chain, sequence`,
      );
      rows.setReturnArrays(true);
      for (const row of rows.iterate(...values)) yield recordOf(Object.values(row), chains);
    } catch (error) {
      throw known(error);
    }
  }

  #forget({ component, writer }: ChainName): void {
    this.#statements.forgetRecords.run(component, writer);
    this.#statements.forgetChain.run(component, writer);
  }

  #atOnce<T>(body: () => T): T {
    return guarded(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = body();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/** For good: with what SQLite keeps beside it. */
export function removeCatalogue(path: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
}

function openDatabase(path: string | undefined): DatabaseSync {
  if (path !== undefined) {
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
  }
  const database = new DatabaseSync(path ?? ':memory:', { timeout: patienceMs });
  try {
    // Losing the newest batches to a power cut costs reading them again.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    if (versionOf(database) === 0) makeTables(database);
    if (versionOf(database) !== schemaVersion)
      throw new HoldfastError('damaged', 'the catalogue is of another version');
    const { quick_check: found } = database.prepare('PRAGMA quick_check(1)').get() ?? {};
    if (found !== 'ok') throw new HoldfastError('damaged', `the catalogue is damaged: ${String(found)}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
}

/** Of two who make them at once the second finds them made. */
function makeTables(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  if (versionOf(database) === 0) database.exec(`${schema}; PRAGMA user_version = ${schemaVersion}`);
  database.exec('COMMIT');
}

/** Of SQLite's result codes: CORRUPT, NOTADB, and ERROR and CONSTRAINT, where tables are not as they should be. */
const damagedCodes: readonly number[] = [11, 26, 1, 19];

function guarded<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw known(error);
  }
}

/** Errors of SQLite and of the file system as ours. */
function known(cause: unknown): unknown {
  if (cause instanceof HoldfastError || !(cause instanceof Error)) return cause;
  const code: unknown = 'errcode' in cause ? cause.errcode : undefined;
  const isDamaged = typeof code === 'number' && damagedCodes.includes(code % 256);
  const message = `the catalogue of records can’t be used: ${cause.message}`;
  return new HoldfastError(isDamaged ? 'damaged' : 'refused', message, { cause });
}

function keysText(keys: Position['trusted']): string {
  return JSON.stringify(keys?.toSorted() ?? null);
}

function keysIn(text: string): Position['trusted'] {
  const keys: unknown = JSON.parse(text);
  return Array.isArray(keys) ? keys.map(String) : undefined;
}

/** What a column of SQLite can hold; the exact time is among the facts. */
const latestNs = 2n ** 63n - 1n;

function columnOf(timeNs: bigint): bigint {
  return timeNs > latestNs ? latestNs : timeNs < -latestNs ? -latestNs : timeNs;
}

function valuesOf(record: StoredRecord): readonly SQLInputValue[] {
  const { kind, component, timeNs, actor, repository, plan, data, sequence, previous, hash, signer } = record;
  const facts = JSON.stringify(factFields({ kind, component, timeNs, actor, repository, plan, data }));
  return [sequence, columnOf(timeNs), kind, previous, hash, signer, facts];
}

function chainOf({ component, writer }: Readonly<Record<string, SQLOutputValue>>): ChainName {
  return { component: String(component), writer: String(writer) };
}

const columns = ['chain', 'sequence', 'previous', 'hash', 'signer', 'facts'] as const;
const what = 'a record of the catalogue';

/** Of a row with these columns. */
function recordOf(row: readonly SQLOutputValue[], chains: ReadonlyMap<number, ChainName>): StoredRecord {
  const [chain, sequence, previous, hash, signer, facts] = row;
  const { component, writer } = chains.get(Number(chain)) ?? {};
  if (component === undefined || writer === undefined) throw new HoldfastError('damaged', `${what} has no chain`);
  const name = recordName(component, writer, Number(sequence));
  const place = { name, writer, sequence: Number(sequence), previous: textOf(previous, what) };
  return {
    ...factsOf(fieldsInText(textOf(facts, what), what), what),
    ...place,
    hash: textOf(hash, what),
    signer: textOf(signer, what),
  };
}

function conditionOf(
  { components, kinds, sinceNs }: RecordFilter,
  chains: ReadonlyMap<number, ChainName>,
): { readonly where: string; readonly values: readonly SQLInputValue[] } {
  const among = (column: string, values: readonly SQLInputValue[]): string =>
    `${column} IN (${values.map(() => '?').join(', ')})`;
  const meant = [...chains].flatMap(([id, { component }]) => (components.includes(component) ? [id] : []));
  const since = sinceNs === undefined ? [] : [columnOf(sinceNs)];
  const conditions = [
    ...(components.length === 0 ? [] : [among('chain', meant)]),
    ...(kinds.length === 0 ? [] : [among('kind', kinds)]),
    ...since.map(() => 'at >= ?'),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return { where, values: [...(components.length === 0 ? [] : meant), ...kinds, ...since] };
}
