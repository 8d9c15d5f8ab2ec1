/** The permission bits of a Go FileMode as Unix has them, setuid, setgid and sticky included. */
export function unixPermissions(goMode: number): number {
  const bits = [
    [2 ** 23, 0o4000],
    [2 ** 22, 0o2000],
    [2 ** 20, 0o1000],
  ] as const;
  return bits.reduce((mode, [go, unix]) => mode | ((goMode & go) === 0 ? 0 : unix), goMode & 0o777);
}
