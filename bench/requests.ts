/** Requests of a program, by what is paid for: the method, and LIST for what lists. */
export type RequestCounts = Readonly<Record<string, number>>;

const endOfHead = '\r\n\r\n';

/** Reads what a client sends over one connection (HTTP/1.1, lengths told) and tells of each request as its head ends. */
export function requestReader(onRequest: (kind: string) => void): (bytes: Buffer) => void {
  let head = '';
  let bodyLeft = 0;
  return (bytes) => {
    for (let at = 0; at < bytes.length;) {
      if (bodyLeft > 0) {
        const part = Math.min(bodyLeft, bytes.length - at);
        bodyLeft -= part;
        at += part;
        continue;
      }
      const known = head.length;
      head += bytes.toString('latin1', at);
      const end = head.indexOf(endOfHead);
      if (end < 0) return;
      at += end + endOfHead.length - known;
      onRequest(kindOf(head));
      bodyLeft = bodyLengthOf(head.slice(0, end));
      head = '';
    }
  };
}

function kindOf(head: string): string {
  const [method = '', target = ''] = head.split(' ', 2);
  return method === 'GET' && /[?&](?:list-type|prefix)=/.test(target) ? 'LIST' : method;
}

function bodyLengthOf(head: string): number {
  if (/^transfer-encoding:/im.test(head)) throw new Error('a body whose length is not told can’t be counted past');
  return Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
}
