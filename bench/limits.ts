import { hash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { RabinChunker } from '../src/chunking/chunker.ts';
import { randomPolynomial } from '../src/chunking/polynomial.ts';
import { compressTransient, decompress } from '../src/compression/zstd.ts';
import { randomMasterKey } from '../src/crypto/key.ts';
import { open, seal, sealInto, sealedLength } from '../src/crypto/seal.ts';
import { microseconds } from './timing.ts';

const samples = 24;
const pieceBytes = 2 ** 20;

/**
 * Phase → CPU seconds that its primitive alone takes for all bytes of these files, from pieces of their own: what no
 * program on this machine with these primitives can do in less.
 */
export function limitsFor(files: readonly string[]): ReadonlyMap<string, number> {
  const pieces = Array.from({ length: Math.min(samples, files.length) }, (_, i) =>
    firstPiece(files[Math.floor((i * files.length) / samples)] ?? files[0] ?? ''),
  );
  const share = total(files.map((file) => statSync(file).size)) / total(pieces.map((piece) => piece.length));
  const key = randomMasterKey();
  const chunker = new RabinChunker(randomPolynomial());
  const target = new Uint8Array(sealedLength(pieceBytes));
  const packed = pieces.map((plain) => ({ plain, frame: Buffer.from(compressTransient(plain, 'auto')) }));
  const sealed = packed.map(({ frame }) => seal(key, frame));
  const each = <Piece>(all: readonly Piece[], run: (piece: Piece) => unknown): number =>
    (microseconds(() => all.forEach(run)) * share) / 1e6;
  return new Map([
    [
      'chunking',
      each(pieces, (piece) => (chunker.buffer.set(piece), chunker.reset(), chunker.next(0, piece.length, 'final'))),
    ],
    ['hashing', each(pieces, (piece) => hash('sha256', piece, 'hex'))],
    ['compressing', each(pieces, (piece) => compressTransient(piece, 'auto'))],
    ['sealing', each(packed, ({ frame }) => sealInto(key, frame, target, 0))],
    ['opening seals', each(sealed, (bytes) => open(key, bytes))],
    ['decompressing', each(packed, ({ plain, frame }) => decompress(frame, plain.length))],
  ]);
}

function firstPiece(path: string): Uint8Array {
  const piece = Buffer.alloc(Math.min(pieceBytes, statSync(path).size));
  const fd = openSync(path, 'r');
  readSync(fd, piece);
  closeSync(fd);
  return piece;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
