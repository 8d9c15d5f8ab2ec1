import type { DriverSettings } from './driver.ts';
import { driverOptions } from './driver.ts';
import { httpAgents } from './http/agents.ts';
import { http1 } from './http/http1.ts';
import { parseRestAddress } from './rest/address.ts';
import { RestStorage } from './rest/storage.ts';
import type { Storage } from './storage.ts';

/**
 * Opens what follows `rest:`, a repository on a server that speaks restic's REST protocol. `create` makes its folders
 * there. Nothing is asked otherwise: whether a repository is there shows when its config is read.
 */
export async function openRest(address: string, settings: DriverSettings): Promise<Storage> {
  const { connections } = driverOptions('rest', { connections: 'number' }, settings.options);
  const { target, path, url, authorization } = parseRestAddress(address, settings.environment);
  const agents = await httpAgents(settings, connections ?? 5, target.secure ? 'https' : 'http');
  const storage = new RestStorage({
    elsewhere: true,
    exchange: http1(target, agents, settings.throttles.upload),
    url,
    path,
    headers: {
      'user-agent': settings.httpUserAgent ?? 'holdfast',
      ...(authorization !== undefined && { authorization }),
    },
    download: settings.throttles.download,
    close: async () => agents[Symbol.dispose](),
  });
  try {
    if (settings.create) await storage.create(settings.opening ? { signal: settings.opening } : {});
    return storage;
  } catch (error) {
    agents[Symbol.dispose]();
    throw error;
  }
}
