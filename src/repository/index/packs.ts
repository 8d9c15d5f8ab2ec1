import { fileIdOf, idBytes, type FileId } from '../../bytes/ids.ts';

/** Numbers packs: 40 to 48 bytes a pack where a Map of strings takes 150. */
export class PackNumbers {
  #ids = new Uint8Array(32 * 1024);
  #slots = new Uint32Array(2048);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#ids.byteLength + this.#slots.byteLength;
  }

  /** The pack's number, a new one when it has none. */
  number(id: FileId): number {
    const bytes = idBytes(id);
    const slot = this.#find(bytes);
    const known = this.#slots[slot] ?? 0;
    if (known !== 0) return known - 1;
    if ((this.#count + 1) * 32 > this.#ids.byteLength) this.#growIds();
    this.#ids.set(bytes, this.#count * 32);
    this.#count += 1;
    this.#slots[slot] = this.#count;
    if (this.#count * 2 > this.#slots.length) this.#growSlots();
    return this.#count - 1;
  }

  id(number: number): FileId {
    return fileIdOf(this.#ids.subarray(number * 32, number * 32 + 32));
  }

  /** Where the ID is, or the empty slot where it belongs. */
  #find(bytes: Uint8Array): number {
    const mask = this.#slots.length - 1;
    let slot = wordOf(bytes, 0) & mask;
    for (let link = this.#slots[slot] ?? 0; link !== 0; link = this.#slots[slot] ?? 0) {
      if (this.#same(bytes, (link - 1) * 32)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #same(bytes: Uint8Array, base: number): boolean {
    for (let at = 0; at < 32; at += 1) if (bytes[at] !== this.#ids[base + at]) return false;
    return true;
  }

  /** By an eighth: memory is worth more here than a copy. */
  #growIds(): void {
    const grown = new Uint8Array(32 * Math.ceil(this.#count * 1.125 + 1024));
    grown.set(this.#ids);
    this.#ids = grown;
  }

  #growSlots(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    for (let number = 0; number < this.#count; number += 1) {
      let slot = wordOf(this.#ids, number * 32) & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = number + 1;
    }
    this.#slots = slots;
  }
}

function wordOf(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
