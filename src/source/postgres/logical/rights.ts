import type { Listener } from '../../../events/events.ts';
import type { ServerConnection } from '../connect.ts';

interface Loading {
  readonly component: string;
  readonly listener: Listener;
}

/**
 * Tables bring code along, as checks, generated columns and functions: whoever could write to what was backed up wrote it,
 * and the server runs it with the rights of the role that loads.
 */
export async function warnOfRights(server: ServerConnection, { component, listener }: Loading): Promise<void> {
  const [[isSuperuser] = []] = await server.rows("select current_setting('is_superuser')");
  if (isSuperuser !== 'on') return;
  const message =
    'the role of --into is a superuser: what the backup brings with its tables, as checks, generated columns and functions, is run with all rights there, on that server’s host too. A role that owns what is loaded, and is no superuser, with --no-owner where others owned it, gives it none';
  listener({ kind: 'warning', during: 'restore', item: component, message });
}
