import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isFullBudget } from './budget.ts';
import { postgresClients, withoutPostgresClients } from './servers/postgres-clients.ts';
import { withoutPostgres } from './servers/postgres.ts';
import { startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import { partScene, takeAgain, type PartServer } from './support/part-scene.ts';
import { runOk } from './support/run-program.ts';

/** The packages of servers have no clients: those of 15 are Debian's, those of 18 of a package of their own. */
const majors = isFullBudget ? (['15', '18'] as const) : (['15'] as const);
const skip = withoutPostgresVersions() || withoutPostgres() || (isFullBudget && withoutPostgresClients());
const clientsOf = async (major: string): Promise<string> =>
  major === '18' ? await postgresClients() : '/usr/lib/postgresql/15/bin';

const content = (table: string): string =>
  `select count(*) || ' ' || md5(string_agg(t::text, chr(10) order by t::text)) from ${table} t`;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Of all whose name begins with `orders`, or is that of their other partition. */
async function definition(clients: string, url: string): Promise<string> {
  const args = ['--schema-only', '--table=orders*', '--table="the rest"', url];
  return (await runOk(`${clients}/pg_dump`, args)).toString().replaceAll(/^\\(?:un)?restrict .*$/gm, '');
}

/** A table of everything that has a name of its own beside it. */
const orders = `
  create table customers (id int primary key);
  insert into customers select generate_series(1, 10);
  create table orders (
    id bigint generated always as identity, day date not null, customer int references customers, what text,
    length int generated always as (length(what)) stored, number serial, primary key (id, day)
  ) partition by range (day);
  create table orders_2025 partition of orders for values from ('2025-01-01') to ('2026-01-01');
  create table "the rest" partition of orders default;
  create index by_customer on orders (customer);
  create unique index on orders_2025 (number);
  create statistics related on customer, what from orders;
  comment on table orders is 'what people want';
  insert into orders (day, customer, what) select '2024-12-01'::date + n, 1 + n % 10, 'o' || n from generate_series(1, 500) n`;

for (const major of majors)
  test(`PostgreSQL ${major}: parts of a copy go into a living database`, { skip }, async (context) => {
    await using server = await startPostgresVersion({ major, settings: ['autovacuum=off'] });
    const clients = await clientsOf(major);
    await everyCase(context, { server, clients, major: Number(major) });
  });

async function everyCase(context: TestContext, at: PartServer): Promise<void> {
  context.beforeEach(() => takeAgain(at));
  await context.test('a table that is renamed comes beside the living one, with all that belongs to it', async () => {
    const scene = await partScene(at, `${orders}; create table orders_restored (id int)`, orders);
    const [then] = await scene.copy(content('orders'));
    await scene.living("update orders set what = 'wrong'");
    const [wrong] = await scene.living(content('orders'));
    const shaped = await scene.shape([{ name: 'public.orders', as: 'orders_restored' }]);
    const { tables, leftOut } = await scene.load(shaped);
    assert.deepEqual([tables.map(({ rows, loadedRows }) => [rows, loadedRows]), leftOut], [[[500, 500]], []]);
    assert.deepEqual(await scene.living(content('orders_restored')), [then]);
    assert.deepEqual(await scene.living(content('orders')), [wrong], 'the living one is as it was');
    const names = `select relname from pg_class where relname like '%restored%' and relkind <> 'c' order by 1`;
    assert.deepEqual(await scene.living(names), [
      'orders_restored',
      'orders_restored_2025',
      'orders_restored_2025_customer_idx',
      'orders_restored_2025_number_idx',
      'orders_restored_2025_pkey',
      'orders_restored_by_customer',
      'orders_restored_id_seq',
      'orders_restored_number_seq',
      'orders_restored_pkey',
      'orders_restored_the rest',
      'orders_restored_the rest_customer_idx',
      'orders_restored_the rest_pkey',
    ]);
    const statistics = `select stxname from pg_statistic_ext where stxrelid = 'orders_restored'::regclass`;
    assert.deepEqual(await scene.living(statistics), ['orders_restored_related']);
  });

  await context.test('a table that is gone comes back as it was defined, to the last comment', async () => {
    const scene = await partScene(at, orders, 'create table customers as select generate_series(1, 10) id');
    await scene.living('alter table customers add primary key (id)');
    const defined = await definition(at.clients, scene.urls.copy);
    await scene.load(await scene.shape([{ name: 'orders' }]));
    assert.equal(await definition(at.clients, scene.urls.living), defined);
    const next = `insert into orders (day) values ('2026-05-05') returning id, number`;
    assert.deepEqual(await scene.living(next), ['501|501'], 'its sequences go on');
  });

  await context.test('names are names, whatever is in them', async () => {
    const odd = [
      `Order "Items"`,
      `a.b*c?|(d)$1`,
      String.raw`back\slash 'and' $do$ {x}`,
      '; drop table "x"; --',
      'Käse\n½',
    ];
    const quote = (name: string | undefined = ''): string => `"${name.replaceAll('"', '""')}"`;
    const [schema = '', ...tables] = odd.map(quote);
    const made = tables.map(
      (
        name,
      ) => `create table ${schema}.${name} (${name} serial primary key, ${schema} text); create index ${quote(`i ${name}`)} on
        ${schema}.${name} (${schema}); insert into ${schema}.${name} (${schema}) values ('row'); create table ${schema}.x${tables.indexOf(name)} ()`,
    );
    const scene = await partScene(at, `create schema ${schema}; ${made.join('; ')}`, `create schema ${schema}`);
    const { tables: loaded } = await scene.load(
      await scene.shape(tables.map((name) => ({ name: `${schema}.${name}` }))),
    );
    assert.deepEqual(
      loaded.map(({ rows, loadedRows }) => [rows, loadedRows]),
      tables.map(() => [1, 1]),
    );
    const [count] = await scene.living(`select count(*) from pg_tables where schemaname = ${literal(odd[0] ?? '')}`);
    assert.equal(count, `${tables.length}`, 'and nothing that a pattern would mean');
    for (const [at, name] of tables.slice(-2).entries()) {
      const as = quote(`${odd[at] ?? ''} ${at}`);
      await scene.load(await scene.shape([{ name: `${schema}.${name}`, as }]));
      assert.deepEqual(await scene.living(`select * from ${schema}.${as}`), ['1|row']);
    }
    const whole = await scene.shape([{ kind: 'schema', name: schema, as: quote(odd[1]) }]);
    assert.equal((await scene.load(whole)).tables.length, 2 * tables.length);
    assert.deepEqual(await scene.living(`select count(*) from ${quote(odd[1] ?? '')}.${String(tables[0])}`), ['1']);
  });

  await context.test('a partition alone, and a table that inherits, come attached to nothing', async () => {
    const more = `create table bought (id bigint, day date, foreign key (id, day) references orders);
      insert into bought select id, day from orders; create table heir (more text) inherits (customers);
      insert into heir values (99, 'more'); create table next_heir () inherits (customers)`;
    const scene = await partScene(at, `${orders}; ${more}`, orders);
    const [then] = await scene.copy(content('orders_2025'));
    const part = await scene.shape([{ name: 'orders_2025', as: 'only_2025' }]);
    await scene.load(part);
    assert.deepEqual(await scene.living(content('only_2025')), [then]);
    assert.match(part.notes.join('\n'), /public\.orders_2025 is a partition of public\.orders: it comes alone[^]*/);
    assert.match(part.notes.join('\n'), /public\.bought refers to it by the foreign key bought_id_day_fkey/);
    const heir = await scene.shape([{ name: 'heir' }]);
    const { tables } = await scene.load(heir);
    assert.deepEqual(
      tables.map(({ loadedRows }) => loadedRows),
      [1],
    );
    assert.match(heir.notes.join('\n'), /public\.heir inherits from public\.customers: it comes alone/);
    const above = await scene.shape([{ name: 'customers', as: 'others' }]);
    assert.deepEqual(above.leftOut, ['public.next_heir inherits from it: neither it nor its rows come']);
    assert.match(above.notes.join('\n'), /public\.orders refers to it/);
    assert.deepEqual(await scene.living('select inhrelid::regclass from pg_inherits where inhparent in (0, 1)'), []);
  });

  await context.test('what the living database lacks is told by name, and nothing is loaded', async () => {
    const scene = await partScene(
      at,
      `create extension citext; create type mood as enum ('glad'); create domain "Odd One" as text; create schema own;
        create function own.next() returns int language sql as 'select 1'; create sequence numbers; create table t (
        a mood[], b "Odd One", c citext, d int default own.next(), e int default nextval('numbers'))`,
      'create table "as it was" ()',
    );
    await assert.rejects(scene.shape([{ name: 't' }]), (error: Error) => {
      for (const one of [
        'type public.mood[]',
        'type public."Odd One"',
        'type public.citext of the extension citext',
        'function own.next()',
        'sequence public.numbers',
      ])
        assert.ok(error.message.includes(one), `${one}: ${error.message}`);
      return true;
    });
    assert.deepEqual(await scene.living("select tablename from pg_tables where schemaname = 'public'"), ['as it was']);
    await scene.living(`create extension citext; create type mood as enum ('glad'); create domain "Odd One" as text; create schema own;
        create function own.next() returns int language sql as 'select 1'; create sequence numbers`);
    const shaped = await scene.shape([{ name: 't' }]);
    assert.match(shaped.notes.join(), /public\.t takes numbers from public\.numbers, which is not its own/);
    await scene.load(shaped);
  });

  await context.test('what a table can do without is left out by name; what hides rows is not', async () => {
    const acting = `create table t (id int primary key, what text);
      create function act() returns trigger language plpgsql as 'begin return new; end';
      create function rate(text) returns int immutable language sql as 'select 1';
      create function sees(int) returns bool language sql as 'select true';
      create trigger acting before insert on t for each row execute function act();
      create rule ruling as on delete to t do also select rate('x');
      create index rated on t (rate(what)); create index plain on t (what);
      alter table t enable row level security; create policy seeing on t using (sees(id));
      insert into t select n from generate_series(1, 7) n`;
    const scene = await partScene(at, acting);
    const shaped = await scene.shape([{ name: 't' }]);
    const { tables } = await scene.load(shaped);
    assert.deepEqual(
      tables.map(({ loadedRows }) => loadedRows),
      [7],
    );
    for (const one of [
      /^trigger acting on public\.t: .*act\(\)/,
      /^rule ruling/,
      /^index public\.rated/,
      /^policy seeing/,
    ])
      assert.ok(
        shaped.leftOut.some((told) => one.test(told)),
        `${one}: ${shaped.leftOut.join('\n')}`,
      );
    assert.equal(shaped.leftOut.length, 4);
    const [kept] =
      await scene.living(`select relrowsecurity, (select count(*) from pg_index where indrelid = t.oid) from pg_class t
      where oid = 't'::regclass`);
    assert.equal(kept, 'true|2');
    const strict = await partScene(at, `${acting}; create policy hiding on t as restrictive using (sees(id))`);
    await assert.rejects(strict.shape([{ name: 't' }]), /lacks what is needed: function public\.sees\(integer\)/);
  });

  await context.test('foreign keys come where they can, the others are named', async () => {
    const scene = await partScene(
      at,
      `create table a (id int primary key); create table b (id int primary key); create table c (id int primary key);
        insert into a values (1), (2); insert into b values (1); insert into c values (1);
        create table t (id int primary key, up int references t, a int references a, b int references b,
          c int constraint "to ""c" references c);
        insert into t values (1, 1, 2, 1, 1)`,
      'create table a (id int primary key); create table b (id int primary key); insert into a values (1); insert into b values (1)',
    );
    const shaped = await scene.shape([{ name: 't' }]);
    assert.deepEqual(shaped.leftOut, ['the foreign key "to ""c" of public.t to public.c: there is no public.c there']);
    const { leftOut } = await scene.load(shaped);
    assert.match(
      leftOut.join('\n'),
      /^the foreign key t_a_fkey of public\.t to public\.a: .*\(a\)=\(2\).*; to put it on: alter/,
    );
    const keys = `select conname from pg_constraint where contype = 'f' and conrelid = 't'::regclass order by 1`;
    assert.deepEqual(await scene.living(keys), ['t_b_fkey', 't_up_fkey']);
  });

  await context.test('owners and grants come, or are left to whoever loads', async () => {
    const scene = await partScene(
      at,
      `create role "a clerk"; create role reader; create table t (id int); alter table t owner to "a clerk"; grant select on t to reader`,
    );
    await scene.load(await scene.shape([{ name: 't' }]));
    const owned = `select tableowner, has_table_privilege('reader', 't', 'select') from pg_tables where tablename in ('t', 'u')`;
    assert.deepEqual(await scene.living(owned), ['a clerk|true']);
    await scene.living('drop table t');
    await scene.load(await scene.shape([{ name: 't' }], { owner: false, privileges: false }));
    assert.deepEqual(await scene.living(owned), ['postgres|false']);
  });

  await context.test('whoever may not see all rows is told that nothing was counted', async () => {
    const scene = await partScene(
      at,
      `create role loader login; create table t (id int); insert into t values (1); alter table t owner to loader;
        alter table t enable row level security; alter table t force row level security; create policy few on t using (id > 1)`,
      'grant create on schema public to loader',
      'loader',
    );
    const { tables } = await scene.load(await scene.shape([{ name: 't' }]));
    assert.deepEqual(
      tables.map(({ rows, loadedRows }) => [rows, loadedRows]),
      [[1, undefined]],
    );
    assert.deepEqual(await scene.living('select count(*) from t'), ['1']);
  });

  await context.test('a name that is taken is refused, with what to say instead', async () => {
    const scene = await partScene(
      at,
      'create table t (id int constraint pk primary key); create schema s; create table s.t (); create table s.u ()',
      'create table x (id int constraint pk primary key); create schema s; create table s.t ()',
    );
    await assert.rejects(scene.shape([{ name: 'public.t' }]), /there already by name: public\.pk/);
    await scene.load(await scene.shape([{ name: 'public.t', as: 'y' }]));
    await assert.rejects(scene.shape([{ name: 'y' }]), /did you mean|is there already/);
    const again = scene.shape([{ kind: 'schema', name: 's' }]);
    await assert.rejects(again, { message: 'the schema s is there already', next: /--as s_restored/ });
    await assert.rejects(scene.shape([{ name: 's.t', as: 'nowhere.t' }]), /schema nowhere/);
    await scene.load(await scene.shape([{ name: 's.u', as: 'public.u' }]));
    assert.deepEqual(await scene.living(`select count(*) from public.u`), ['0']);
  });

  await context.test(
    'what is not there is refused with the nearest name, and what is no table by what it is',
    async () => {
      const scene = await partScene(
        at,
        'create table "Order Items" (); create schema s; create table s.orders (); create view seen as select 1; create schema r; create table r.orders ()',
      );
      const ways: readonly (readonly [string, RegExp])[] = [
        ['"order items"', /no table "order items" in this database; did you mean public\."Order Items"\?/],
        ['public.orders', /did you mean r\.orders\?|did you mean s\.orders\?/],
        ['ordes', /no table ordes .* did you mean [rs]\.orders\?/],
        ['orders', /which table\? There are [rs]\.orders, [rs]\.orders/],
        ['seen', /public\.seen is a view, not a table/],
        ['a b', /is no name of SQL/],
        ['a.b.c', /no name of a table; a database is named by --database/],
      ];
      for (const [name, wanted] of ways) await assert.rejects(scene.shape([{ name }]), { message: wanted }, name);
      await assert.rejects(
        scene.shape([{ kind: 'schema', name: 'ss' }]),
        /no schema ss in this database; did you mean s\?/,
      );
      const both = scene.shape([{ name: 's.orders' }, { kind: 'schema', name: 'r' }]);
      await assert.rejects(both, /tables and schemas can’t be taken at once/);
    },
  );

  await context.test('what production does on each change of a schema does not stand in the way', async () => {
    const scene = await partScene(
      at,
      `create table t (id int); insert into t values (1); create function no() returns event_trigger language plpgsql as
        'begin raise exception ''nobody changes anything''; end'; create event trigger never on ddl_command_start execute function no()`,
    );
    const { tables } = await scene.load(await scene.shape([{ name: 't', as: 'public.u' }]));
    assert.deepEqual(tables, [{ name: 'public.t', as: 'public.u', rows: 1, loadedRows: 1 }]);
  });

  await context.test('a load that fails has loaded nothing', async () => {
    const scene = await partScene(at, 'create table t (id int); insert into t values (1); create table v (id int)');
    const shaped = await scene.shape([{ name: 't' }, { name: 'v' }]);
    await scene.living('create view v as select 1');
    await assert.rejects(scene.load(shaped), { code: 'source-failed', next: /nothing of it is in the database/ });
    await scene.living('drop view v');
    await scene.copy('drop table v');
    await assert.rejects(scene.load(shaped), { message: /^pg_dump failed: [^]*no matching tables/ });
    assert.deepEqual(await scene.living(`select tablename from pg_tables where schemaname = 'public'`), []);
  });

  await context.test('a schema whose partitions stand elsewhere is refused, unless theirs is taken too', async () => {
    const then = `create schema books; create schema parts; create table books.orders (id int) partition by range (id);
      create table parts.few partition of books.orders for values from (0) to (10); insert into books.orders values (1), (2);
      create extension citext schema books; create table books.own (id int); alter extension citext add table books.own`;
    const scene = await partScene(at, then, 'create schema parts; create table parts.few (id int)');
    await assert.rejects(scene.shape([{ name: 'books.own', as: 'own_then' }]), {
      code: 'unsupported',
      message: /^books\.own belongs to the extension citext: /,
    });
    await assert.rejects(scene.shape([{ kind: 'schema', name: 'books', as: 'books_then' }]), {
      code: 'refused',
      message: 'partitions stand in schemas that are not taken: parts.few of books.orders',
    });
    await scene.living('drop schema parts cascade');
    const both = ['books', 'parts'].map((name) => ({ kind: 'schema', name }) as const);
    const { tables, leftOut } = await scene.load(await scene.shape(both));
    assert.deepEqual([tables.map(({ name, loadedRows }) => [name, loadedRows]), leftOut], [[['books.orders', 2]], []]);
    assert.deepEqual(await scene.living('select count(*) from books.orders'), ['2']);
  });

  await context.test('a schema by the name of another loses nothing that needs that one', async () => {
    const then = `create schema app; create schema kinds; create type kinds.mood as enum ('glad');
      create table app.t (id int, mood kinds.mood); insert into app.t values (1, 'glad')`;
    const scene = await partScene(at, then);
    const shaped = scene.shape([{ kind: 'schema', name: 'app', as: 'kinds' }]);
    await assert.rejects(shaped, /lacks what is needed: type "kinds of the copy \d+"\.mood/);
    assert.deepEqual(await scene.copy('select mood from kinds.t'), ['glad']);
  });

  await context.test(
    'the schema public goes into one that is there and empty, and so does another by its name',
    async () => {
      const scene = await partScene(
        at,
        `create table t (id int primary key); comment on table t is 'ours'; insert into t values (1)`,
      );
      const shaped = await scene.shape([{ kind: 'schema', name: 'public' }]);
      assert.match(shaped.notes.join(), /public is there already: its owner/);
      assert.deepEqual(
        (await scene.load(shaped)).tables.map((one) => one.loadedRows),
        [1],
      );
      assert.deepEqual(await scene.living(`select obj_description('t'::regclass)`), ['ours']);
      const other = await partScene(
        at,
        'create schema s; create table s.t (id int); insert into s.t values (1), (2); create table t ()',
      );
      await other.load(await other.shape([{ kind: 'schema', name: 's', as: 'public' }]));
      assert.deepEqual(await other.living('select count(*) from public.t'), ['2']);
      const two = ['public', 's'].map((name) => ({ kind: 'schema', name }) as const);
      const third = await partScene(at, 'create schema s');
      await assert.rejects(third.shape(two), /public comes with no other one/);
    },
  );

  await context.test(
    'what is on another server, and triggers of the table of a partition, are left out by name',
    async () => {
      const then = `create foreign data wrapper nothing; create server far foreign data wrapper nothing;
      create table t (id int) partition by range (id); create table near partition of t for values from (0) to (10);
      create foreign table gone partition of t for values from (10) to (20) server far; insert into near values (1);
      create table u (id int) partition by range (id); create table low partition of u for values from (0) to (10);
      create function act() returns trigger language plpgsql as 'begin return new; end';
      create trigger acting after insert on u for each row execute function act()`;
      const scene = await partScene(at, then);
      const shaped = await scene.shape([{ name: 't' }]);
      assert.deepEqual(shaped.leftOut, [
        'public.gone is a partition whose rows are on another server: neither it nor they come',
      ]);
      assert.deepEqual(
        (await scene.load(shaped)).tables.map((one) => [one.rows, one.loadedRows]),
        [[1, 1]],
      );
      const alone = await scene.shape([{ name: 'low' }]);
      assert.deepEqual(alone.leftOut, ['trigger acting on public.low: it is that of public.u, which does not come']);
      assert.doesNotMatch(alone.notes.join(), /triggers of/);
    },
  );
}
