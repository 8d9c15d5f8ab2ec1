import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readManyRecords } from '../test/support/reading-records.ts';
import { s3Place } from './places.ts';

/**
 * How long `records` takes, on S3 (versitygw on loopback) behind a link that delays each answer: from the repository
 * alone, from what is remembered, filtered, and `--verify`, and in brackets the CPU time of each; folded into bundles, and each record an object of its own.
 */
const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    loose: { type: 'string', default: '20000' },
    delays: { type: 'string', default: '0,50' },
  },
});

const components = ['shop', 'mail', 'wiki', 'web', 'git', 'dns', 'ldap', 'photos'];
console.log('| layout | records | delay, ms | repository alone, s | remembered, s | filtered, s | --verify, s |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
for (const delay of values.delays.split(','))
  for (const layout of ['bundles', 'loose'] as const) {
    const records = Number(layout === 'bundles' ? values.records : values.loose);
    if (records === 0) continue;
    await using place = await s3Place(Number(delay));
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-records-'));
    const address = place.address('/records');
    const read = await readManyRecords({ address, env: place.env, folder, records, components, layout });
    rmSync(folder, { recursive: true });
    const seconds = [read.cold, read.warm, read.filtered, read.verify].map(
      (one) => `${one.seconds.toFixed(1)} (${one.cpuSeconds.toFixed(1)})`,
    );
    console.log(`| ${[layout, records, delay, ...seconds].join(' | ')} |`);
  }
