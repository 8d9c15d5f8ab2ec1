import { errnoOf } from './errors.ts';

/** Waits for `call` and takes these errors for success. */
export async function ignoring(codes: readonly (string | undefined)[], call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!codes.includes(errnoOf(error))) throw error;
  }
}
