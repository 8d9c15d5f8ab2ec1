import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { goProgram, withoutGo } from './go-program.ts';
import { startServer, type RunningServer } from './running.ts';

/** Why a test with rest-server can't run here, or false. */
export const withoutRestServer = withoutGo;

/** restic's own server, 0.14.0. */
async function restServer(): Promise<string> {
  return await goProgram({
    folder: 'rest-server-0.14.0',
    package: 'github.com/restic/rest-server/cmd/rest-server',
    name: 'rest-server',
    version: ['--version'],
  });
}

/** Serves the folder `data` of its own folder, without users unless the arguments say so; it may listen on a socket. */
export async function startRestServer(
  args: (server: Pick<RunningServer, 'dir'>) => Promise<readonly string[]> = async () => ['--no-auth'],
  socket?: string,
): Promise<RunningServer> {
  return await startServer({
    program: await restServer(),
    args: async ({ port, dir }) => {
      await mkdir(dir.file('data'));
      return ['--listen', `127.0.0.1:${port}`, '--path', dir.file('data'), ...(await args({ dir }))];
    },
    ...(socket !== undefined && { ready: async () => existsSync(socket) }),
  });
}
