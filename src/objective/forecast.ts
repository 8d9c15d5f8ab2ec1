import { roughText } from '../policy/span.ts';

/** How long a recovery takes, part by part: seconds. */
export interface Stages {
  /** Until the point and where its bytes are is known. */
  readonly find: number;
  readonly fetch: number;
  readonly start: number;
  readonly check: number;
}

export interface RestoreSize {
  readonly bytes: number;
  readonly files: number;
}

/** A copy of a component that was restored whole and verified: what it took. */
export interface Measurement extends RestoreSize {
  readonly repository: string;
  readonly stages: Stages;
}

/**
 * How long a real restore would take by what verifications measured. It goes no further than they do: stopping a
 * service, a safety backup and the time until somebody types the command are no part of it.
 */
export type Forecast =
  /** Too few restores were measured, or the point doesn't say how large it is. */
  | { readonly state: 'unknown'; readonly measurements: number; readonly needed: number }
  | {
      readonly state: 'known';
      readonly seconds: number;
      readonly stages: Stages;
      /** How many restores from that repository it goes by, older ones left out. */
      readonly measurements: number;
      /** Undefined where no restore was measured that could have been forecast. */
      readonly pastError: PastError | undefined;
    };

/** What forecasts from before each measured restore would have said of it, as parts of what they said. */
export interface PastError {
  /** It took so much longer than forecast at most: 0.12 for +12 %; 0 where none took longer. */
  readonly longer: number;
  /** At most so much shorter: -0.08 for −8 %; 0 where none took shorter. */
  readonly shorter: number;
  readonly compared: number;
}

const needed = 3;
/** Disks and lines change: what is older than these says little. */
const mostUsed = 9;
const mostCompared = 30;
/** A small file costs about what so many bytes of a large one do. */
const bytesAFile = 32 * 1024;

/**
 * The forecast for a copy of that size in that repository. Fetching goes by the repository's median rate of bytes and
 * files, finding by its median; starting and checking don't depend on where the bytes came from. Measurements are of one
 * component, oldest first.
 */
export function forecastOf(
  measured: readonly Measurement[],
  repository: string,
  size: RestoreSize | undefined,
): Forecast {
  const stages = size && stagesBy(measured, repository, size);
  const own = measured.filter((one) => one.repository === repository);
  const measurements = Math.min(own.length, mostUsed);
  if (stages === undefined) return { state: 'unknown', measurements, needed };
  return { state: 'known', seconds: total(stages), stages, measurements, pastError: pastErrorOf(measured, repository) };
}

function stagesBy(measured: readonly Measurement[], repository: string, size: RestoreSize): Stages | undefined {
  const newest = measured.slice(-mostUsed);
  const own = measured.filter((one) => one.repository === repository).slice(-mostUsed);
  if (own.length < needed) return undefined;
  return {
    find: median(own.map(({ stages }) => stages.find)),
    fetch: median(own.map((one) => one.stages.fetch / workOf(one))) * workOf(size),
    start: median(newest.map(({ stages }) => stages.start)),
    check: median(newest.map(({ stages }) => stages.check)),
  };
}

/** Of each restore that others went before: what they would have forecast against what it took. */
function pastErrorOf(measured: readonly Measurement[], repository: string): PastError | undefined {
  const errors = measured.flatMap((one, at) => {
    if (one.repository !== repository) return [];
    const stages = stagesBy(measured.slice(0, at), repository, one);
    return stages === undefined ? [] : [total(one.stages) / Math.max(total(stages), 0.001) - 1];
  });
  const compared = errors.slice(-mostCompared);
  if (compared.length === 0) return undefined;
  return { longer: Math.max(0, ...compared), shorter: Math.min(0, ...compared), compared: compared.length };
}

export function total({ find, fetch, start, check }: Stages): number {
  return find + fetch + start + check;
}

/** `42 min (past error +12 %/−8 %, 9 verifications)`. */
export function forecastText(forecast: Forecast): string {
  if (forecast.state === 'unknown')
    return `not known (${forecast.measurements} of ${forecast.needed} restores measured)`;
  const { seconds, pastError } = forecast;
  const error =
    pastError === undefined
      ? 'past error not known yet'
      : `past error +${percent(pastError.longer)}/−${percent(pastError.shorter)}, ${pastError.compared} verification${pastError.compared === 1 ? '' : 's'}`;
  return `${roughText(seconds * 1000)} (${error})`;
}

function percent(part: number): string {
  return `${Math.abs(Math.round(part * 100))} %`;
}

function workOf({ bytes, files }: RestoreSize): number {
  return Math.max(1, bytes + files * bytesAFile);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = 0, high = low] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
}
