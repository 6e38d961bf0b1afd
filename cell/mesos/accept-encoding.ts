/** Below this a body is sent as it is (libprocess' GZIP_MINIMUM_BODY_LENGTH). */
export const GZIP_MINIMUM_BYTES = 1024;

/** Whether gzip may be sent, by the rules of `Request::acceptsEncoding`: named itself or by `*`, and not with `q=0`. */
export function acceptsGzip(header: string | undefined): boolean {
  const offered = (header ?? '').split(',').map((one) => one.replaceAll(/\s/g, '').toLowerCase().split(';'));
  const named = offered.find(([name]) => name === 'gzip') ?? offered.find(([name]) => name === '*');
  if (named === undefined) return false;
  const quality = named.find((part) => part.startsWith('q='));
  return quality === undefined || Number(quality.slice(2)) > 0;
}
