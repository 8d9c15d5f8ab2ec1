import { choice, count, flag, list, parsed, text, wholeNumber, type Values } from './option.ts';
import { timeOf } from './time-argument.ts';
import { durationMs, packSizeBytes } from './quantity.ts';

/** Options that every command takes, before or after its name. */
export const globals = {
  repo: text('repository', 'where the repository is: a folder, or an address such as s3:https://host/bucket', {
    short: 'r',
    environment: 'RESTIC_REPOSITORY',
  }),
  repositoryFile: text('file', 'read the location of the repository from a file', {
    environment: 'RESTIC_REPOSITORY_FILE',
  }),
  config: text('file', 'the policy file; ./holdfast.yaml or /etc/holdfast/holdfast.yaml where none is named', {
    environment: 'HOLDFAST_CONFIG',
  }),
  stateDir: text('folder', 'where this host keeps its signing key, journals and what waits to be recorded', {
    environment: 'HOLDFAST_STATE_DIR',
  }),
  passwordFile: text('file', 'read the password from a file', { short: 'p', environment: 'RESTIC_PASSWORD_FILE' }),
  passwordCommand: text('command', 'run a command that prints the password', {
    environment: 'RESTIC_PASSWORD_COMMAND',
  }),
  insecureNoPassword: flag('the repository has an empty password (insecure)'),
  keyHint: text('key', 'ID of the key to try first', { environment: 'RESTIC_KEY_HINT' }),
  noLock: flag('take no lock: for reading from a repository that can’t be written'),
  retryLock: parsed('duration', durationMs, 'wait as long as this for the lock of another to end, such as 5m', {
    fallback: 'no wait',
  }),
  cacheDir: text('folder', 'where the cache is kept', { environment: 'RESTIC_CACHE_DIR' }),
  noCache: flag('use no cache'),
  cleanupCache: flag('remove caches of repositories that were not used for 30 days'),
  compression: choice('mode', ['auto', 'off', 'fastest', 'better', 'max'], 'how data is compressed', {
    environment: 'RESTIC_COMPRESSION',
    fallback: 'auto',
  }),
  packSize: parsed('MiB', packSizeBytes, 'size that a pack file should reach, 4 to 128', {
    environment: 'RESTIC_PACK_SIZE',
    fallback: '16',
  }),
  noExtraVerify: flag('don’t decrypt and hash each blob again before it is stored'),
  json: flag('print JSON'),
  quiet: flag('print errors only', { short: 'q' }),
  verbose: count('print more; twice, or --verbose=2, prints each item', { short: 'v' }),
  help: flag('explain the command', { short: 'h' }),
  option: list('name=value', 'set an option of the storage, such as s3.region=eu-central-1', { short: 'o' }),
  asOf: parsed('time', timeOf, 'the repository as it was then, to read only; where the storage keeps old versions'),
  cacert: list('file', 'trust the certificates in this file instead of the system’s', { environment: 'RESTIC_CACERT' }),
  tlsClientCert: text('file', 'show the server this certificate; its private key is in the same file', {
    environment: 'RESTIC_TLS_CLIENT_CERT',
  }),
  insecureTls: flag('believe any server (insecure)'),
  httpUserAgent: text('name', 'what requests over HTTP say sent them', { environment: 'RESTIC_HTTP_USER_AGENT' }),
  limitUpload: parsed('KiB', wholeNumber, 'send at most this much a second', { fallback: 'no limit' }),
  limitDownload: parsed('KiB', wholeNumber, 'receive at most this much a second', { fallback: 'no limit' }),
  stuckRequestTimeout: parsed('duration', durationMs, 'try a request again that stands still for so long', {
    fallback: '1m',
  }),
} as const;

export type Globals = Values<typeof globals>;

/** Options that name snapshots for `latest`, or choose among all. */
export const snapshotFilter = {
  host: list('host', 'only snapshots of this host (several times: any of them)', {
    short: 'H',
    environment: 'RESTIC_HOST',
  }),
  tag: list('tag[,tag]', 'only snapshots with all of these tags (several times: any of the lists)'),
  path: list('path', 'only snapshots of this absolute path (several times: all of them)'),
} as const;
