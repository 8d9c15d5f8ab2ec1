/** Whether an error came from the system with this name: 'ENOENT', 'EEXIST'. */
export function hasErrno(error: unknown, name: string): boolean {
  return error instanceof Error && 'code' in error && error.code === name;
}
