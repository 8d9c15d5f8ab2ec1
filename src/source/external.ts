import type { ExternalPoint, ProofLevel } from '../point/point.ts';
import type { WalkOptions } from './source.ts';

/**
 * Points of a component that stand in no repository of ours: what a search engine puts into its own snapshot repository,
 * a replicated bucket, a mirror of git, a registry of images. A rule of the policy names the places that hold them, as
 * it names repositories; a job says when one is made, copied, verified and expired, and the source does it.
 *
 * - What `list` tells is there now. A point that vanished isn't among it, and neither is one that is half made or half
 *   copied. A place that can't be asked throws: an empty list says that there is none.
 * - What `make`, `copy` and `expire` promise is so when they resolve, and can be seen by `list`. Where they throw, or
 *   are aborted, nothing new is listed and nothing else is gone; they can be called again.
 * - What could not be had in whole, `make` tells as a 'warning' during 'scan' for each item, as entries do.
 * - Nothing but `expire` ever removes a point, and only the one that it is given.
 * - Errors are HoldfastErrors that name the component and the place. No secret is in them, nor in a point.
 * - Every call ends soon after its signal is aborted.
 */
export interface ExternalPoints {
  /** Whatever made them. One that doesn't say which rule it is of is nobody's, and left out. */
  list(place: string, options: WalkOptions): Promise<readonly ExternalPoint[]>;
  make(place: string, wanted: WantedPoint, options: WalkOptions): Promise<ExternalPoint>;
  /** It has the same identity, rule and time there. One that is there already is left as it is. */
  copy(point: ExternalPoint, way: ExternalWay, options: WalkOptions): Promise<void>;
  /** One that is gone already is no error. */
  expire(place: string, point: ExternalPoint, options: WalkOptions): Promise<void>;
  /**
   * Looks at this one copy, as far as the level says, and at nothing that was remembered of it. It throws where the
   * place can't be asked: nothing is known of the copy then.
   */
  verify(place: string, point: ExternalPoint, level: ProofLevel, options: WalkOptions): Promise<ExternalVerdict>;
}

/** What a new point is to tell of itself, wherever it is listed. */
export type WantedPoint = Pick<ExternalPoint, 'rule' | 'method' | 'timeNs'>;

export interface ExternalWay {
  readonly from: string;
  readonly to: string;
}

/**
 * 'verified' — all that the level asks for was looked at and is right. 'failed' — the copy is damaged, incomplete or
 * gone. 'could not verify' — whatever else it is, such as a level that can't be had there.
 */
export type ExternalVerdict =
  | { readonly state: 'verified' }
  | { readonly state: 'failed' | 'could not verify'; readonly reason: string };

/** What is known by the policy alone of a place where a source holds points. */
export interface ExternalPlace {
  readonly site?: string | undefined;
  readonly media: 'disk' | 'object' | 'archive' | 'removable';
}
