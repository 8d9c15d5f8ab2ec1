import { readFile } from 'node:fs/promises';
import type { Agent } from 'node:http';
import type { Agent as SecureAgent } from 'node:https';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { HoldfastError } from '../../errors/error.ts';
import { reasonOf } from '../../host/system-error.ts';
import { http, https } from './node-http.ts';
import type { StorageSettings, TlsSettings } from '../settings.ts';
import { proxiesOf } from './proxies.ts';

/** Connections that requests share and keep open between them. */
export interface HttpAgents extends Disposable {
  readonly http: Agent;
  readonly https: SecureAgent;
}

const systemsOwn: TlsSettings = { caFiles: [], insecure: false };
const idleMs = 90_000;

/**
 * Makes the agents that the user's settings ask for: TLS, proxies of the environment, so many connections. For `http`
 * alone no certificate is read, which takes a tenth of a second.
 */
export async function httpAgents(
  settings: StorageSettings,
  connections: number,
  scheme: 'http' | 'https' = 'https',
): Promise<HttpAgents> {
  const tls = settings.tls ?? systemsOwn;
  const proxyEnv = proxiesOf(settings.environment ?? {});
  const shared = {
    keepAlive: true,
    keepAliveMsecs: idleMs,
    maxSockets: connections,
    ...(proxyEnv && { proxyEnv: { ...proxyEnv } }),
  };
  const plain = new http.Agent(shared);
  const secure = new https.Agent({
    ...shared,
    rejectUnauthorized: !tls.insecure,
    ...(scheme === 'https' && { secureContext: await secureContextOf(tls) }), // for tls.connect
  });
  return {
    http: plain,
    https: secure,
    [Symbol.dispose]: () => {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** Of the system's authorities alone: a process reads them once, and a context of them takes a tenth of a second. */
let usual: SecureContext | undefined;

async function secureContextOf(tls: TlsSettings): Promise<SecureContext> {
  const isUsual = tls.caFiles.length === 0 && tls.clientFile === undefined;
  return isUsual ? (usual ??= await ownContextOf(tls)) : await ownContextOf(tls);
}

async function ownContextOf({ caFiles, clientFile }: TlsSettings): Promise<SecureContext> {
  const given = await Promise.all(caFiles.map((file) => pemOf('--cacert', file, 'CERTIFICATE')));
  const systems = given.length > 0 ? given : getCACertificates('system');
  const pem = clientFile === undefined ? undefined : await pemOf('--tls-client-cert', clientFile, 'PRIVATE KEY');
  try {
    return createSecureContext({
      ...(systems.length > 0 && { ca: [...systems] }),
      ...(pem !== undefined && { cert: pem, key: pem }),
    });
  } catch (cause) {
    const files = [...caFiles, ...(clientFile === undefined ? [] : [clientFile])];
    throw new HoldfastError('usage', `${files.join(', ')} can't be used: ${reasonOf(cause)}`, { cause });
  }
}

async function pemOf(option: string, file: string, kind: string): Promise<string> {
  const text = await readFile(file, 'latin1').catch((cause: unknown) => {
    throw new HoldfastError('usage', `the file ${file} of ${option} can't be read: ${reasonOf(cause)}`, { cause });
  });
  if (new RegExp(`-----BEGIN [A-Z ]*${kind}-----`).test(text)) return text;
  throw new HoldfastError('usage', `the file ${file} of ${option} holds no ${kind.toLowerCase()} in PEM`);
}
