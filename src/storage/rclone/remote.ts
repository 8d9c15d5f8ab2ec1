/** A remote's name, its options, and its path; options may be quoted, a quote in them doubled. */
const withOptions = /^(:?[^:,"'/]*),(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^:"'])*(:.*)?$/s;

/** For people. A remote may bear options, keys among them: `:s3,secret_access_key=…:bucket/path`. */
export function shownRemote(remote: string): string {
  const [, name, path = ''] = withOptions.exec(remote) ?? [];
  return name === undefined ? remote : `${name},…${path}`;
}
