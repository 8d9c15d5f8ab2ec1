import type { InjectedAnswer } from '../servers/proxy.ts';

/** A refusal as Amazon words it. */
export function s3Refusal(status: number, code: string, headers: InjectedAnswer['headers'] = {}): InjectedAnswer {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>words of the server</Message></Error>`;
  return { status, headers, body: xml };
}
