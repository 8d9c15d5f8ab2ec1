import { join } from 'node:path';
import { root } from '../tree.ts';

const program = join(root, 'examples/sqlite/sqlite-component');

/** A folder and a database in two places, as a team would write it down; below `folder`, live things below `live`. */
export function policyText(folder: string, live: string): string {
  const sqlite = (words: string): string => JSON.stringify(`'${program}' ${words}`);
  return `version: 1
site: office
sandbox: { visible: [${root}] }
repositories:
  near: { url: ${folder}/near, password: { file: ${folder}/password }, site: office }
  far:  { url: ${folder}/far, password: { file: ${folder}/password }, site: elsewhere }
tiers:
  important: { rpo: 24h, rto: 1h, copies: 3, offsite: 1, proof: 7d, proof-each: 7d }
components:
  documents:
    tier: important
    files: { paths: [${live}/documents] }
    backups: { nightly: { at: "02:00", to: { near: { keep: { daily: 7 } }, far: { keep: { daily: 30 } } } } }
    verify: [{ every: 1d, from: each, checks: [{ name: every byte, checksums: snapshot }] }]
  shop:
    tier: important
    command:
      dump: ${sqlite(`dump '${live}/shop.db'`)}
      start: ${sqlite('start')}
      load: ${sqlite('load')}
      check: ${sqlite('check')}
      filename: shop.sqlite
    backups: { nightly: { at: "02:30", to: { near: { keep: { daily: 7 } }, far: { keep: { daily: 30 } } } } }
    verify:
      - every: 1d
        from: each
        checks:
          - { name: orders, command: ${sqlite(`ask 'select count(*) from orders'`)}, at-least: 2000 }
          - { name: takings in cents, command: ${sqlite(`ask 'select sum(cents) from orders'`)}, at-least: 1 }
`;
}
