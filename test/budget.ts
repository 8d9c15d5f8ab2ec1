/** How much the tests do: the same test bodies, a sample in `npm test`, full size in `npm run test:full`. */
interface Budget {
  /** Runs of a property of a pure function. */
  readonly propertyRuns: number;
  /** Runs of a property that starts a real program each time. */
  readonly programRuns: number;
  /** Inputs thrown at each decoder. */
  readonly fuzzRuns: number;
  /** Seeds of each simulated history (backup, forget, prune, faults). */
  readonly histories: number;
  /** Of the enumerated crash points, one in so many is tried where each costs worker threads. */
  readonly crashStep: number;
  /** Of the enumerated crash points, one in so many is also checked by real restic. */
  readonly crashesPerResticCheck: number;
  /** Of the five ways in which the power can go at a call, so many are tried; they take turns. */
  readonly cutsPerCall: number;
  /** After one in so many power cuts the same operation is run again, to its end. */
  readonly crashesPerRerun: number;
  /** At most so many moments at which an operation is cut off on a kind of storage elsewhere; drawn by the seed. */
  readonly remoteCuts: number;
  /** Kinds of such storages on which each operation is tried. */
  readonly remoteKinds: number;
  /** Kills of the real program. */
  readonly kills: number;
  /** Kills of the real program while it works on a storage elsewhere. */
  readonly remoteKills: number;
  /** Damaged copies of each kind of file. */
  readonly damages: number;
  /** Of the demonstration's files, where they are what is backed up and restored. */
  readonly originalsShare: number;
  /** Of the benchmark's data sets, where their sizes are compared. */
  readonly benchScale: number;
  /** Of the requests over a bad network, the part that goes wrong. */
  readonly networkFaults: number;
  /** Records that are read from a bucket. */
  readonly records: number;
  /** Of the commands one in so many meets a failure that looks for secrets in what it says. */
  readonly canaryStep: number;
}

const sample: Budget = {
  propertyRuns: 200,
  programRuns: 5,
  fuzzRuns: 2_000,
  histories: 10,
  crashStep: 7,
  crashesPerResticCheck: 50,
  cutsPerCall: 1,
  crashesPerRerun: 5,
  remoteCuts: 1,
  remoteKinds: 1,
  kills: 20,
  remoteKills: 20,
  damages: 5,
  originalsShare: 1 / 8,
  benchScale: 0.05,
  networkFaults: 0.08,
  records: 2_000,
  canaryStep: 12,
};

const full: Budget = {
  propertyRuns: 20_000,
  programRuns: 200,
  fuzzRuns: 500_000,
  histories: 500,
  crashStep: 1,
  crashesPerResticCheck: 4,
  cutsPerCall: 5,
  crashesPerRerun: 1,
  remoteCuts: 80,
  remoteKinds: Infinity,
  kills: 500,
  remoteKills: 300,
  damages: 100,
  originalsShare: 1,
  benchScale: 1,
  networkFaults: 0.12,
  records: 100_000,
  canaryStep: 1,
};

export const isFullBudget = process.env['HOLDFAST_BUDGET'] === 'full';

export const budget: Budget = isFullBudget ? full : sample;
