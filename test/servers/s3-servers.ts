import { minio } from './minio.ts';
import type { S3Server } from './s3-server.ts';
import { versitygw } from './versitygw.ts';

/** Both real S3 servers, by name: what holds on one has to hold on the other. */
export const s3Servers: readonly { readonly name: S3Server['name']; readonly start: () => Promise<S3Server> }[] = [
  { name: 'versitygw', start: versitygw },
  { name: 'MinIO', start: minio },
];
