import { test, type TestContext } from 'node:test';
import { isFullBudget } from '../budget.ts';
import { postgresMajors, type PostgresMajor } from '../servers/postgres-program.ts';

interface AtMajors {
  /** The one of `npm test`. */
  readonly sample: PostgresMajor;
  readonly skip: string | false;
}

/** A test with servers of one major; in a full run one for each. */
export function testAtMajors(
  title: string,
  { sample, skip }: AtMajors,
  body: (major: PostgresMajor, context: TestContext) => Promise<void>,
): void {
  for (const major of isFullBudget ? postgresMajors : [sample])
    test(`PostgreSQL ${major}: ${title}`, { skip }, async (context) => await body(major, context));
}
