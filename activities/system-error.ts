/**
 * True for an error of the operating system with this code, such as `ENOENT`. Looks at the code alone: an error from
 * another realm (Node's own, where code runs in a VM context) is no instance of our `Error`.
 */
export function isSystemError(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
