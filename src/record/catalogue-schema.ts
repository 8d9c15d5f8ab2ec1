import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** To be raised with every change of the tables, or of what stands in them. */
export const schemaVersion = 1;

/**
 * `read_for` and `trusted` are keys as JSON: those that were believed at the chain's beginning, and at its position. `at`
 * is nanoseconds since 1970, as near as a column can tell; `facts` is all that was recorded.
 */
export const schema = `
  CREATE TABLE chain (
    id INTEGER PRIMARY KEY, component TEXT NOT NULL, writer TEXT NOT NULL, read_for TEXT NOT NULL,
    sequence INTEGER NOT NULL, hash TEXT NOT NULL, trusted TEXT NOT NULL, UNIQUE (component, writer)
  ) STRICT;
  CREATE TABLE record (
    chain INTEGER NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
    previous TEXT NOT NULL, hash TEXT NOT NULL, signer TEXT NOT NULL, facts TEXT NOT NULL,
    PRIMARY KEY (chain, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX by_time ON record (at);
  CREATE INDEX by_kind ON record (kind, at);
  CREATE INDEX by_chain ON record (chain, at)`;

export type Statements = ReturnType<typeof prepared>;

export function prepared(
  database: DatabaseSync,
): Readonly<Record<'position' | 'chains' | 'reach' | 'add' | 'forgetRecords' | 'forgetChain', StatementSync>> {
  const isIt = 'component = ? AND writer = ?';
  return {
    position: database.prepare(`SELECT sequence, hash, trusted FROM chain WHERE ${isIt} AND read_for = ?`),
    chains: database.prepare('SELECT id, component, writer FROM chain'),
    reach: database.prepare(
      `INSERT INTO chain (component, writer, read_for, sequence, hash, trusted) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash, trusted = excluded.trusted
       RETURNING id`,
    ),
    add: database.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    forgetRecords: database.prepare(`DELETE FROM record WHERE chain IN (SELECT id FROM chain WHERE ${isIt})`),
    forgetChain: database.prepare(`DELETE FROM chain WHERE ${isIt}`),
  };
}
