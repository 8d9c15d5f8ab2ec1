import type { Clock } from '../clock/clock.ts';
import type { Listener } from '../events/events.ts';
import type { SourceKinds } from '../source/kinds.ts';
import type { Environment } from './arguments.ts';
import type { Console } from './console.ts';
import type { Globals } from './globals.ts';
import type { Given } from './option.ts';

/** What every command is run with. */
export interface Context {
  readonly globals: Globals;
  /** Where a global option came from. */
  readonly given: Given;
  readonly environment: Environment;
  readonly console: Console;
  /** What a component of a policy can be; loaded when it is asked for. */
  readonly kinds: () => Promise<SourceKinds>;
  readonly clock: Clock;
  /** Aborted by the first SIGINT or SIGTERM, or by a closed terminal, with a HoldfastError 'interrupted' as its reason. */
  readonly signal: AbortSignal;
  /** Prints warnings and shows progress; for commands without a form of their own. */
  readonly listener: Listener;
}
