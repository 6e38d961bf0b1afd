import { HttpError } from './http-error.ts';
import type { AppConfig } from './model.ts';

/** Where service ports come from that an app leaves to Marathon (`local_port_min`, `local_port_max`). */
export const SERVICE_PORT_MIN = 10_000;
export const SERVICE_PORT_MAX = 20_000;

/** All service ports of an app in the order of its definitions; 0 where none is assigned yet. */
export function servicePorts(app: AppConfig): readonly number[] {
  return (
    app.portDefinitions?.map((definition) => definition.port) ??
    app.container?.portMappings?.map((mapping) => mapping.servicePort) ??
    []
  );
}

/**
 * Replaces every service port 0 by a free one. An app keeps those it has; no two apps get the same one assigned, though
 * apps may ask for ports that others have.
 */
export function assignServicePorts(
  app: AppConfig,
  before: AppConfig | undefined,
  taken: ReadonlySet<number>,
): AppConfig {
  const wanted = servicePorts(app);
  if (!wanted.includes(0)) return app;
  const kept = (before ? servicePorts(before) : []).filter((port) => port !== 0 && !wanted.includes(port));
  const used = new Set([...taken, ...wanted, ...kept]);
  let next = SERVICE_PORT_MIN;
  const assign = (port: number): number => {
    if (port !== 0) return port;
    const earlier = kept.shift();
    if (earlier !== undefined) return earlier;
    while (used.has(next)) next += 1;
    if (next >= SERVICE_PORT_MAX) {
      const range = `[${SERVICE_PORT_MIN}-${SERVICE_PORT_MAX})`;
      throw new HttpError(422, { message: `All ports in the range ${range} are already in use` });
    }
    used.add(next);
    return next;
  };
  const { portDefinitions, container } = app;
  return {
    ...app,
    ...(portDefinitions
      ? { portDefinitions: portDefinitions.map((definition) => ({ ...definition, port: assign(definition.port) })) }
      : {}),
    ...(container?.portMappings
      ? {
          container: {
            ...container,
            portMappings: container.portMappings.map((mapping) => ({
              ...mapping,
              servicePort: assign(mapping.servicePort),
            })),
          },
        }
      : {}),
  };
}
