import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { systemClock } from '../../clock/clock.ts';
import { HoldfastError } from '../../errors/error.ts';
import { withDeadline, type Deadline } from '../../flow/abort.ts';
import { httpAgents, type HttpAgents } from '../http/agents.ts';
import type { StorageSettings } from '../settings.ts';
import type { S3Address } from './address.ts';
import {
  areAskedFor,
  credentialsOf,
  removersCredentials,
  type CredentialsWay,
  type Environment,
} from './credentials.ts';
import { boundAnswers } from './answers.ts';
import { addHeaders } from './headers.ts';
import type { S3Options } from './options.ts';
import { regionOf } from './region.ts';
import { Renewal, type S3Clients } from './renewal.ts';
import { silentLogger } from './silent-logger.ts';

/** Clients of the SDK, whose connections end with it. */
export interface S3Connection extends Disposable, Pick<Renewal, 'clients' | 'ask'> {
  readonly region: string;
}

/** How long the server may take to tell the region. */
export type RegionBound = Pick<Deadline, 'ms'> & { readonly signal: AbortSignal };

/** How long the SDK waits for an answer. */
export interface SdkWait {
  readonly abortSignal?: AbortSignal;
}

const connectMs = 30_000;
/** A server of credentials that gives no answer is asked anew by whoever tries again. */
const credentialsMs = 20_000;

/** Connects to the server of an address; asks it for the bucket's region where nothing else tells. */
export async function connectS3(
  address: S3Address,
  options: S3Options,
  settings: StorageSettings,
  bound: RegionBound,
): Promise<S3Connection> {
  const environment = settings.environment ?? {};
  const isSecure = address.endpoint.startsWith('https:') || (!options.anonymous && areAskedFor(environment));
  const agents = await httpAgents(settings, options.connections, isSecure ? 'https' : 'http');
  try {
    const config = configOf(address, options, agents);
    const patience = { requestTimeout: credentialsMs, throwOnRequestTimeout: true };
    const way = { requestHandler: { ...handlerOf(agents), ...patience } };
    const first = await signedAs(options, environment, way);
    const ofRegion = (of: string): S3Client => clientOf({ ...config, ...first }, of, settings);
    const region = options.region ?? (await askedRegion(address, ofRegion, bound));
    const clients = async (signed: Signing): Promise<S3Clients> => {
      const writer = clientOf({ ...config, ...signed }, region, settings);
      const other = await removersCredentials(environment, options.deleteProfile, way);
      return { writer, remover: other ? clientOf({ ...config, credentials: other }, region, settings) : writer };
    };
    const renewal = new Renewal(await clients(first), async () => clients(await signedAs(options, environment, way)));
    return {
      get clients() {
        return renewal.clients;
      },
      ask: (task) => renewal.ask(task),
      region,
      [Symbol.dispose]: () => agents[Symbol.dispose](),
    };
  } catch (error) {
    agents[Symbol.dispose]();
    throw error;
  }
}

/** What servers have said: a bucket stays where it is, and a copy may open it twice. */
const regions = new Map<string, string>();

/** A server that gives no answer is asked anew by whoever tries again. */
async function askedRegion(
  address: S3Address,
  connect: (region: string) => S3Client,
  { ms, signal: closing }: RegionBound,
): Promise<string> {
  const place = `${address.endpoint}/${address.bucket}`;
  const told = regions.get(place);
  if (told !== undefined) return told;
  const error = (): HoldfastError => new HoldfastError('storage-timeout', `${address.endpoint} does not answer`);
  const deadline = { ms, clock: systemClock, error, signal: closing };
  const region = await withDeadline(deadline, (signal) => regionOf(address, connect, { abortSignal: signal }));
  regions.set(place, region);
  return region;
}

function configOf(address: S3Address, options: S3Options, agents: HttpAgents): S3ClientConfig {
  return {
    ...(!isAmazonsGlobal(address.host) && { endpoint: address.endpoint }),
    forcePathStyle: !byHostName(address, options),
    followRegionRedirects: true,
    maxAttempts: 1,
    // A clock that is wrong is told: locks and snapshots bear its time, too.
    disableClockSkewCorrection: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: handlerOf(agents),
    logger: silentLogger,
  };
}

type Signing = Pick<S3ClientConfig, 'credentials' | 'signer'>;

async function signedAs(
  { anonymous, region }: S3Options,
  environment: Environment,
  way: CredentialsWay,
): Promise<Signing> {
  if (!anonymous) return { credentials: await credentialsOf(environment, region, way) };
  return {
    credentials: { accessKeyId: '', secretAccessKey: '' },
    signer: { sign: (request) => Promise.resolve(request) },
  };
}

function clientOf(config: S3ClientConfig, region: string, { httpUserAgent }: StorageSettings): S3Client {
  const client = new S3Client({ ...config, region });
  addHeaders(client, httpUserAgent);
  boundAnswers(client);
  return client;
}

function handlerOf(agents: HttpAgents): Record<string, unknown> {
  return { httpAgent: agents.http, httpsAgent: agents.https, connectionTimeout: connectMs, logger: silentLogger };
}

/** Amazon's address without a region: the SDK knows that of each region. */
function isAmazonsGlobal(host: string): boolean {
  return host === 's3.amazonaws.com' || host === 's3.dualstack.amazonaws.com';
}

function byHostName({ host }: S3Address, { bucketLookup }: S3Options): boolean {
  if (bucketLookup !== 'auto') return bucketLookup === 'dns';
  return /(?:^|\.)(?:amazonaws\.com(?:\.cn)?|storage\.googleapis\.com|aliyuncs\.com)$/.test(host);
}
