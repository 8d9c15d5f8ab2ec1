/** As `preloadWriting`, of what reads the index and contents. */
export async function preloadReading(): Promise<void> {
  await Promise.all([import('./fill-index.ts'), import('./pipeline/reader.ts')]);
}

/** Loads the code that stores contents, for who knows that it will be needed: best while the key is derived. */
export async function preloadWriting(): Promise<void> {
  await Promise.all([import('./fill-index.ts'), import('./pipeline/writer.ts')]);
}
