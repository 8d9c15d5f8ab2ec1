import { connectTo } from '../connect.ts';
import { serverFacts } from '../server.ts';
import { findClient, type WantedClient } from './client.ts';

/** Whether the server lets the role in, is of a major that is known, and has its client where the policy says. */
export async function askLogically({
  url,
  ...wanted
}: Omit<WantedClient, 'major'> & { readonly url: string }): Promise<void> {
  await using server = await connectTo({ url, use: 'statements', signal: wanted.signal });
  const { major } = await serverFacts(server);
  await findClient({ ...wanted, major });
}
