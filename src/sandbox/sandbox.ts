import type { Clock } from '../clock/clock.ts';
import { openIsolation } from './inside/open.ts';

/**
 * A sandbox is where a backup is brought up to see whether it works, away from everything that is live. Commands of a
 * policy run in it; it guards against mistakes of these, and is no wall against a command that means harm.
 *
 * Inside. A user, mount, process, network, IPC and host-name namespace of its own, made by util-linux, as root and as
 * anybody else where the kernel allows user namespaces. Commands see no live process and no live network: there is one
 * loopback of the sandbox's own. The whole file system is read-only but for the folder (HOLDFAST_DIR, the working
 * folder, at /run/holdfast), /tmp, /var/tmp, /run and /dev/shm, which start empty. What is `hidden` is empty too, and a
 * socket that a live program had bound elsewhere when the sandbox was opened is covered. A path without which no program starts (/, /usr, /etc …) can't be
 * hidden and stays readable. What is `visible` is seen though it lies in what starts empty, read-only and without setuid,
 * but for what is hidden of it. The environment holds PATH, HOME, LANG, HOLDFAST_SANDBOX=1, HOLDFAST_DIR and what the
 * caller adds, nothing of Holdfast's own. Root is root of the sandbox only: it may change owners and users, and
 * neither mount nor touch devices or the kernel.
 *
 * Limits. Memory by a control group of version 2, else 1, else not at all, which `notes` says. Time for each command.
 * Disk by the free space of the file system, looked at each second, and a bound on each file. Beyond a limit a command
 * is ended together with the sandbox, and is 'lacking', never a failure of its own.
 *
 * Disposed of, or when Holdfast is killed at any moment, everything is gone: its first process lives as long as a pipe
 * that only Holdfast holds open, with it every process inside is killed by the kernel, and mounts and network vanish
 * with the namespaces. What stays after a kill is an empty control group, which the next sandbox removes, and the
 * folder, whose owner is the caller.
 */
export interface Sandbox extends AsyncDisposable {
  /** For people: which limits could not be set here. */
  readonly notes: readonly string[];
  /** Runs one command to its end; what it leaves running goes on. Never rejects for what the command does. */
  run(command: SandboxCommand): Promise<CommandEnd>;
  /** Asks a service inside, from inside. */
  get(url: string): Promise<WebAnswer>;
}

export interface SandboxOptions {
  /** What commands see as HOLDFAST_DIR; what they leave there stays. Its parent is a folder of ours alone. */
  readonly folder: string;
  /** Absolute paths that are empty inside. */
  readonly hidden: readonly string[];
  /**
   * Absolute paths of what commands run, wherever it lies: folders or files, with all that is mounted in them, seen where
   * they really are and by the name given here. `hidden` has the last word, by whatever name it calls the same. What
   * starts empty, as /tmp, is never shown as a whole, nor anything above it: 'refused'. What isn't there isn't seen.
   */
  readonly visible?: readonly string[];
  readonly limits: SandboxLimits;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface SandboxLimits {
  readonly memoryBytes: number;
  /** How much the free space may shrink while it is open. */
  readonly diskBytes: number;
  /** For each command. */
  readonly timeMs: number;
}

export interface SandboxCommand {
  readonly words: readonly string[];
  /** A file outside, given on standard input; nothing without it. */
  readonly input?: string;
  readonly env: Readonly<Record<string, string>>;
}

export type CommandEnd =
  | {
      readonly kind: 'exited';
      readonly code: number;
      /** At most the first MiB. */
      readonly output: string;
      readonly lastWords: readonly string[];
    }
  /** It was not found, could not be started, was killed, or a limit ended it: nothing is known of what it looked at. */
  | { readonly kind: 'lacking'; readonly reason: string };

export type WebAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  | { readonly kind: 'lacking'; readonly reason: string };

/** Throws 'refused' where this host can't isolate, with what to install or to allow. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  return await openIsolation(options);
}
