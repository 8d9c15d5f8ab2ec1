import * as fs from 'node:fs';
import { join } from 'node:path';
import { Random } from './random.ts';

/** A day of work between two backups. */
export function work(root: string): void {
  const random = new Random(7);
  for (let n = 0; n < 5; n += 1) fs.appendFileSync(join(root, `documents/2025/letter-${n}.txt`), random.prose(500));
  fs.appendFileSync(join(root, 'server/access.log'), random.prose(200_000));
  fs.writeFileSync(join(root, 'documents/2025/new plan.txt'), random.prose(3000));
  fs.rmSync(join(root, 'code/module-3'), { recursive: true });
  fs.renameSync(join(root, 'documents/photos for ann'), join(root, 'documents/sent photos'));
  fs.chmodSync(join(root, 'documents/2024/letter-2.txt'), 0o640);
  rewritePages(join(root, 'server/shop.db'), random);
}

/** Two of a hundred pages at random places. */
function rewritePages(path: string, random: Random): void {
  const file = fs.openSync(path, 'r+');
  const pages = fs.fstatSync(file).size / 8192;
  for (let n = 0; n < pages / 50; n += 1) fs.writeSync(file, random.bytes(8192), 0, 8192, random.below(pages) * 8192);
  fs.closeSync(file);
}

/** What a bad day does to the originals; resolves to what happened, for the report. */
export function damage(root: string): readonly string[] {
  const random = new Random(13);
  for (const name of fs.readdirSync(join(root, 'documents/photos')))
    fs.writeFileSync(join(root, 'documents/photos', name), random.bytes(4096));
  fs.rmSync(join(root, 'code'), { recursive: true });
  fs.truncateSync(join(root, 'server/shop.db'), 100_000);
  fs.rmSync(join(root, 'documents/2024'), { recursive: true });
  fs.symlinkSync('/etc', join(root, 'documents/2024'));
  fs.chmodSync(join(root, 'odd/secret'), 0o777);
  fs.writeFileSync(join(root, 'documents/READ ME TO GET YOUR FILES BACK'), 'pay up\n');
  return [
    'every photo overwritten',
    'the code removed',
    'the database cut off',
    'a folder replaced by a link to /etc',
    'a secret opened to all',
    'a ransom note added',
  ];
}
