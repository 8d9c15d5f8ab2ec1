import { pinSocket, type PinnedSocket } from '../../host/pinned-socket.ts';

/** Of every server of ours in a sandbox. */
const port = '5432';

/** That of a server in a sandbox, from outside: code that came with the backup may put a link to another server there. */
export async function pinCopy(folder: string): Promise<PinnedSocket> {
  return await pinSocket(folder, `.s.PGSQL.${port}`);
}

/** Of no database. */
export function copyAddress({ folder }: PinnedSocket, superuser: string): string {
  return `postgres://${encodeURIComponent(superuser)}@localhost/?host=${folder}&port=${port}`;
}
