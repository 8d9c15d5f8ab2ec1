import type { RateLimits, StorageSettings } from '../storage/settings.ts';
import type { Context } from './context.ts';
import { flagName, refusal } from './option.ts';

/** What the global options and the environment say to whichever storage is opened. */
export function storageSettings({ globals, environment }: Context): StorageSettings {
  const { cacert, tlsClientCert, insecureTls, httpUserAgent } = globals;
  return {
    environment,
    options: new Map(globals.option.map(nameAndValue)),
    tls: {
      caFiles: cacert,
      insecure: insecureTls,
      ...(tlsClientCert === undefined ? {} : { clientFile: tlsClientCert }),
    },
    ...(httpUserAgent === undefined ? {} : { httpUserAgent }),
    limits: limits(globals),
  };
}

/** restic takes zero for none. */
function limits({ limitUpload, limitDownload }: Context['globals']): RateLimits {
  return {
    ...(limitUpload && { uploadBytesPerSecond: limitUpload * 1024 }),
    ...(limitDownload && { downloadBytesPerSecond: limitDownload * 1024 }),
  };
}

function nameAndValue(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals > 0) return [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
  throw refusal(flagName('option'), text, 'an option and its value such as s3.region=eu-central-1');
}
