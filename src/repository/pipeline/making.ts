import { closeSync, constants, ftruncateSync, openSync } from 'node:fs';
import { systemPath } from '../../bytes/ids.ts';
import { applyToOpen } from '../../host/attributes.ts';
import type { FileToMake } from './new-file-columns.ts';
import { writeTargets } from './placing.ts';

const asNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const ownerOnly = 0o600;

/** Makes one file, which nobody but its owner may read before it has its mode. Its times come after its content. */
export function makeFile({ path, attributes, holes }: FileToMake, plaintext: Uint8Array, lost: string[]): void {
  const fd = openSync(systemPath(path), asNew, ownerOnly);
  try {
    if (holes === 'skip-zeros') ftruncateSync(fd, plaintext.length);
    writeTargets(plaintext, { targets: [{ fd, offset: 0 }], holes });
    applyToOpen(fd, attributes, { selectXattr: 'all', onLost: (what) => lost.push(what) });
  } finally {
    closeSync(fd);
  }
}
