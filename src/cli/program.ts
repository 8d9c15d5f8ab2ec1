import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Context } from './context.ts';

/** The version in package.json. */
export function programVersion(): string {
  const text: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof text === 'object' && text !== null && 'version' in text ? String(text.version) : 'unknown';
}

/** Whoever starts this very program on this host, as another service: it finds its own Node. */
export function ownCommand(): string {
  return fileURLToPath(new URL('../../bin/holdfast', import.meta.url));
}

/** Where a program that is started aside finds the policy and the state that this one has. */
export function placeOptions({ globals: { config, stateDir } }: Pick<Context, 'globals'>): readonly string[] {
  return [
    ...(config === undefined ? [] : ['--config', config]),
    ...(stateDir === undefined ? [] : ['--state-dir', stateDir]),
  ];
}
