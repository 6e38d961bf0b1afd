import type { ImageReference } from '../../domain/bundle.ts';
import type { RegistryCredentials } from './authorization.ts';
import { RegistryClient } from './client.ts';
import { describeParts } from './image.ts';

export interface MissingPartsOptions {
  /** `host:port` of each replica. */
  readonly replicas: readonly string[];
  readonly insecure?: boolean | undefined;
  readonly credentials?: RegistryCredentials | undefined;
}

/**
 * What each replica lacks of an image: its manifest, or of what that names each blob by a HEAD. A registry may have lost
 * a layer and still show the manifest, and then no agent can pull it. Fails as `RegistryClient` does.
 */
export function missingPartsReader({ replicas, ...connection }: MissingPartsOptions) {
  const clients = replicas.map((address) => new RegistryClient({ address, ...connection }));
  return ({ repository, digest }: ImageReference, signal: AbortSignal) =>
    Promise.all(
      clients.map(async (client) => {
        const parts = await describeParts(client, repository, digest, { signal });
        if (parts === undefined) return { address: client.address, missing: [digest] };
        const there = await Promise.all(parts.map((part) => client.hasBlob(repository, part, { signal })));
        return { address: client.address, missing: parts.filter((_, index) => !there[index]) };
      }),
    );
}
