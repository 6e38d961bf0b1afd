import { cacheDirectory } from '../toolbox/toolbox.ts';
import { NODE_PATH, nodeLayer } from './layer.ts';
import { imageOf, isPushed, push } from './push.ts';

const REPOSITORY = 'base/node';

/** The base image in a registry. */
export interface BaseImage {
  /** `<registry>/base/node:<Node's version>`. */
  readonly reference: string;
  readonly digest: string;
  /** False if the registry had it already. */
  readonly pushed: boolean;
}

/**
 * Makes sure that a registry has `base/node`: this process's own Node and the libraries it links to, on nothing else;
 * users root and node (1000), no shell, no package manager. Nothing is pulled from anywhere.
 * @param registry `host:port`.
 */
export async function ensureBaseImage(registry: string): Promise<BaseImage> {
  const version = process.versions.node;
  const layer = await nodeLayer(process.execPath, version, cacheDirectory());
  const image = imageOf(layer, { env: [`PATH=/usr/local/bin`, `NODE_VERSION=${version}`], cmd: [`/${NODE_PATH}`] });
  const pushed = !(await isPushed(registry, REPOSITORY, version, image));
  if (pushed) {
    await push(registry, REPOSITORY, version, image);
  }
  return { reference: `${registry}/${REPOSITORY}:${version}`, digest: image.digest, pushed };
}
