import type { Listener } from '../../../events/events.ts';

export interface WarningsOptions {
  readonly component: string;
  readonly listener: Listener;
}

/** Of a component's log, each told once: what lasts is met at each look. */
export class Warnings {
  readonly #options: WarningsOptions;
  readonly #told = new Set<string>();

  constructor(options: WarningsOptions) {
    this.#options = options;
  }

  once(message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    const { listener, component } = this.#options;
    listener({ kind: 'warning', during: 'log', item: component, message });
  }
}
