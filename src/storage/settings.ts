/**
 * What a storage may need besides its address. Names and meanings are restic's, so that what a user has set for
 * restic holds here too. A driver takes what concerns it and leaves the rest.
 */
export interface StorageSettings {
  /** Makes the place where it is missing. */
  readonly create?: true;
  /** Where drivers look for credentials (`AWS_*`, `RESTIC_REST_*`) and proxies. Its values never reach a message. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /**
   * `-o s3.region=eu-central-1`, by the whole name. A name of a driver's own (`s3.…`) that it doesn't know is 'usage';
   * names of other drivers are ignored.
   */
  readonly options?: ReadonlyMap<string, string>;
  readonly tls?: TlsSettings;
  readonly httpUserAgent?: string;
  /** Nanoseconds since 1970: what the storage held then, to read only. */
  readonly asOf?: bigint;
  /** For everything that moves to or from the storage, together. */
  readonly limits?: RateLimits;
}

export interface RateLimits {
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
}

export interface TlsSettings {
  /** Files with certificates in PEM; when there are any, they stand in place of the system's. */
  readonly caFiles: readonly string[];
  /** A file with certificate and private key in PEM. */
  readonly clientFile?: string;
  /** Whoever answers is believed: `--insecure-tls`. */
  readonly insecure: boolean;
}
