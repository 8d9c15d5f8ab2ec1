import { DatabaseSync } from 'node:sqlite';
import { Random } from '../first-backup/random.ts';

/** A small shop that is written to: customers, and orders that refer to them. */
export function makeShop(path: string): void {
  using shop = new DatabaseSync(path);
  shop.exec(`
    pragma journal_mode = wal;
    create table customers (id integer primary key, name text not null);
    create table orders (id integer primary key, customer integer not null references customers, cents integer not null, note text);
    begin`);
  const random = new Random(41);
  const customer = shop.prepare('insert into customers (name) values (?)');
  for (let n = 0; n < 200; n += 1) customer.run(random.prose(20).toString());
  const order = shop.prepare('insert into orders (customer, cents, note) values (?, ?, ?)');
  for (let n = 0; n < 2000; n += 1)
    order.run(1 + random.below(200), 100 + random.below(90_000), random.prose(300).toString());
  shop.exec('commit');
}

/** Every row of every table, so that two databases can be compared. */
export function rowsOf(path: string): readonly string[] {
  using shop = new DatabaseSync(path, { readOnly: true });
  return ['customers', 'orders'].flatMap((table) =>
    shop
      .prepare(`select * from ${table} order by id`)
      .all()
      .map((row) => `${table} ${JSON.stringify(row)}`),
  );
}

/** Somebody forgot the condition. */
export function wreck(path: string): void {
  using shop = new DatabaseSync(path);
  shop.exec('delete from orders');
}
