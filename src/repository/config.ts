import { countOf, parseFields, textOf, type Fields } from '../bytes/fields.ts';
import { formatPolynomial, parsePolynomial } from '../chunking/polynomial.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Chunking } from './content.ts';
import type { RepositoryConfig } from './repository.ts';

const kiB = 1024;
const miB = 1024 * kiB;
/** restic's, which it doesn't write down. */
const resticSizes = { minBytes: 512 * kiB, averageBytes: miB, maxBytes: 8 * miB };
/** The window of the rolling hash. */
const minChunkBytes = 64;
/** A chunk is one blob and is held in memory whole. */
const maxChunkBytes = 1024 * miB;

export function decodeConfig(plaintext: Uint8Array): RepositoryConfig {
  const raw = parseFields(plaintext, 'config');
  const version = raw['version'];
  if (version !== 1 && version !== 2) {
    throw new HoldfastError('unsupported', `the repository has format version ${JSON.stringify(version)}`);
  }
  return {
    version,
    id: repositoryId(raw['id']),
    chunkerPolynomial: polynomialOf(raw['chunker_polynomial']),
    chunking: chunkingOf(raw),
    appendOnly: raw['append_only'] === true,
    raw,
  };
}

function repositoryId(value: unknown): string {
  const id = textOf(value, 'config: id');
  if (!/^[0-9a-f]{64}$/.test(id)) throw new HoldfastError('damaged', 'config: id is not 64 hex digits');
  return id;
}

/** A reducible polynomial would cut badly; restic refuses it too. */
function polynomialOf(value: unknown): string {
  return formatPolynomial(parsePolynomial(textOf(value, 'config: chunker_polynomial')));
}

/** rustic writes down which chunker to use, where it isn't restic's. */
function chunkingOf(raw: Fields): Chunking {
  const kind = textOf(raw['chunker'] ?? 'rabin', 'config: chunker')
    .toLowerCase()
    .replaceAll(/[_-]/g, '');
  const averageBytes = chunkSize(raw, 'chunk_size', resticSizes.averageBytes);
  if (kind === 'fixedsize') return { kind: 'fixed', sizeBytes: averageBytes };
  if (kind !== 'rabin')
    throw new HoldfastError('unsupported', `the repository asks for the chunker ${JSON.stringify(kind)}`);
  const minBytes = chunkSize(raw, 'chunk_min_size', resticSizes.minBytes);
  const maxBytes = chunkSize(raw, 'chunk_max_size', resticSizes.maxBytes);
  if (minBytes > averageBytes || averageBytes > maxBytes)
    throw new HoldfastError('damaged', 'config: chunk sizes contradict each other');
  return { kind: 'rabin', minBytes, averageBytes, maxBytes };
}

function chunkSize(raw: Fields, name: string, standard: number): number {
  const size = countOf(raw[name] ?? standard, maxChunkBytes, `config: ${name}`);
  if (size < minChunkBytes) throw new HoldfastError('damaged', `config: ${name} is below ${minChunkBytes} bytes`);
  return size;
}

/** The fields in restic's order, then those that only other clients know. */
export function encodeConfig(
  config: Pick<RepositoryConfig, 'version' | 'id' | 'chunkerPolynomial'> & { readonly raw?: Fields },
): Uint8Array {
  const { version, id, chunkerPolynomial: chunker_polynomial } = config;
  return Buffer.from(`${JSON.stringify({ ...config.raw, version, id, chunker_polynomial })}\n`);
}
