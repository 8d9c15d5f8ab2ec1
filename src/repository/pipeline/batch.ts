/** Collects items until there are enough for one request. */
export class Batch<Item> {
  readonly #limit: { readonly items: number; readonly bytes: number };
  readonly #send: (items: readonly Item[]) => void;
  #items: Item[] = [];
  #bytes = 0;

  constructor(limit: { readonly items: number; readonly bytes: number }, send: (items: readonly Item[]) => void) {
    this.#limit = limit;
    this.#send = send;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  add(item: Item, bytes: number): void {
    this.#items.push(item);
    this.#bytes += bytes;
    if (this.#items.length >= this.#limit.items || this.#bytes >= this.#limit.bytes) this.flush();
  }

  flush(): void {
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.#bytes = 0;
    this.#send(items);
  }
}
