/**
 * The route that answers a path: its own, else the one nearest above it, so that `/state/anything` is `/state` and
 * `/api/v1/operator`, where pymesos sends its calls, is `/api/v1`. It is how libprocess looks for handlers
 * (`ProcessBase::consume`); undefined where there is none.
 */
export function nearestRoute(path: string, isRoute: (path: string) => boolean): string | undefined {
  for (let each = path; each !== ''; each = each.slice(0, each.lastIndexOf('/'))) {
    if (isRoute(each)) return each;
  }
  return undefined;
}
