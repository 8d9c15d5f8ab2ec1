import type { ErrorCode } from '../../../errors/codes.ts';
import type { Extent, LogName, Noted, PackedSegment } from '../../../log/log.ts';

/** What the worker asks of a thread that packs. */
export type PackingRequest =
  /** The first one; it has no reply. */
  | { readonly kind: 'set-up'; readonly folder: string; readonly name: LogName }
  | {
      readonly kind: 'pack';
      readonly file: string;
      readonly sizeBytes: number;
      /** `segmentRoomBytes` of that. */
      readonly room: SharedArrayBuffer;
    };

export type PackingReply =
  | { readonly kind: 'packed'; readonly extent: Extent; readonly segment: PackedSegment; readonly noted: Noted }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly next: string | undefined };
