import { readdir } from 'node:fs/promises';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode } from '../../../host/system-error.ts';
import { isOfCluster } from './adopt.ts';

/**
 * 'refused' where files stand at a place, and nothing of a cluster. A backup only says where it stood, of this host or of
 * another one: that may be somebody's home, or his data, which would be moved away and be removed then.
 */
export async function assertCluster(component: string, place: string): Promise<void> {
  const names = (await namesIn(place)).filter((name) => !isNobodys(name));
  if (names.length === 0 || names.some((name) => isOfCluster(name) || settings.has(name))) return;
  const some = names.toSorted().slice(0, 3).join(', ');
  throw new HoldfastError('refused', `${component}: ${place} holds ${some}, and nothing of a cluster`, {
    next: 'Its backup says that it stood there. If it is to come there, move that away; else restore it by --target. Nothing was changed.',
  });
}

/** Those that whoever sets up a host puts there before there is a cluster. */
const settings: ReadonlySet<string> = new Set([
  ...['postgresql.conf', 'postgresql.auto.conf', 'pg_hba.conf', 'pg_ident.conf', 'conf.d'],
]);

/** Of a disk of its own, and of a restore in place. */
function isNobodys(name: string): boolean {
  return name === 'lost+found' || /^(?:pgsql_tmp)?\.holdfast-/.test(name);
}

/** None of what isn't there, or can't be read any more. */
async function namesIn(place: string): Promise<readonly string[]> {
  try {
    return await readdir(place);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return errorCode(error) === 'ENOTDIR' ? ['a file'] : [];
  }
}
