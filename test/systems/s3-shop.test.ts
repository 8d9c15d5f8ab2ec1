import { test } from 'node:test';
import { runSystem, withoutSystems } from './run-system.ts';

const title = 'S3 shop: a year of its backups, and everything back after a loss';

test(title, { skip: withoutSystems() }, async (context) => {
  await runSystem(context, {
    name: 'S3 Shop',
    example: 's3-shop',
    rotated: 'dr',
    dearest: 'database',
    databases: [
      {
        component: 'database',
        name: 'shop',
        kept: ['logical', 'log'],
        rows: { products: 400, orders: 4000, customers: 900 },
        tables: `
          create table products as select id, 'product ' || id as name, id * 0.5 as price from generate_series(1, 400) id;
          create table customers as select id, md5(id::text) as name from generate_series(1, 900) id;
          create table orders as select id, 1 + id % 900 as customer, 1 + id % 400 as product from generate_series(1, 4000) id;`,
      },
    ],
    caches: [{ component: 'cart', filename: 'cart.rdb', keys: 300 }],
    files: {
      '/srv/shop/uploads/today.jpg': '',
      '/srv/shop/uploads/a/1.jpg': 'a picture '.repeat(4000),
      '/srv/shop/uploads/b/2.jpg': 'another picture '.repeat(4000),
      '/elasticsearch/products.ndjson': '{"_index":"products","_source":{"name":"lamp"}}\n'.repeat(400),
      '/cluster/shop.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: shop, namespace: shop }\n',
    },
    lost: ['uploads'],
    dumps: { search: 'products.ndjson', cluster: 'shop.yaml' },
    standIns: { elasticdump: { file: '/elasticsearch/products.ndjson' }, kubectl: { file: '/cluster/shop.yaml' } },
    found: { database: { products: '400', orders: '4000', customers: '900' } },
    otherwise: {},
  });
});
