import {
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type MultipartUpload,
  type S3Client,
  type _Object,
} from '@aws-sdk/client-s3';
import { nextOf } from './answers.ts';
import type { SdkWait } from './client.ts';

/** Makes a request of its own, so that credentials renewed meanwhile hold from the next page on. */
export type Ask = <T>(task: (client: S3Client, wait: SdkWait) => Promise<T>) => Promise<T>;

interface Place {
  readonly Bucket: string;
  readonly Prefix: string;
}

/** A page of objects after another, with each object once, although some servers repeat the last of a page. */
export async function* objectsOf(ask: Ask, place: Place, version: 1 | 2): AsyncGenerator<_Object, void> {
  let last: string | undefined;
  for await (const page of (version === 1 ? pagesV1 : pagesV2)(ask, place)) {
    for (const object of page) {
      if (object.Key === last) continue;
      last = object.Key;
      yield object;
    }
  }
}

async function* pagesV2(ask: Ask, place: Place): AsyncGenerator<readonly _Object[]> {
  for (let ContinuationToken: string | undefined; ;) {
    const input = { ...place, ...(ContinuationToken !== undefined && { ContinuationToken }) };
    const page = await ask((client, wait) => client.send(new ListObjectsV2Command(input), wait));
    yield page.Contents ?? [];
    ContinuationToken = nextOf(page, page.NextContinuationToken, ContinuationToken);
    if (ContinuationToken === undefined) return;
  }
}

async function* pagesV1(ask: Ask, place: Place): AsyncGenerator<readonly _Object[]> {
  for (let Marker: string | undefined; ;) {
    const input = { ...place, ...(Marker !== undefined && { Marker }) };
    const page = await ask((client, wait) => client.send(new ListObjectsCommand(input), wait));
    yield page.Contents ?? [];
    Marker = nextOf(page, page.NextMarker ?? page.Contents?.at(-1)?.Key, Marker);
    if (Marker === undefined) return;
  }
}

/** Uploads in parts that were never completed. */
export async function* uploadsOf(client: S3Client, place: Place, wait: SdkWait): AsyncGenerator<MultipartUpload, void> {
  for (let after: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {}; ;) {
    const page = await client.send(new ListMultipartUploadsCommand({ ...place, ...after }), wait);
    yield* page.Uploads ?? [];
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
    const next = KeyMarker && `${KeyMarker} ${UploadIdMarker}`;
    if (nextOf(page, next, `${after.KeyMarker} ${after.UploadIdMarker}`) === undefined) return;
    after = { KeyMarker, UploadIdMarker };
  }
}
