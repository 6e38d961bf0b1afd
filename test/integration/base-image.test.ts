import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Layer, nodeLayer } from '../../local/base-image/layer.ts';

const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

describe('the layer of base/node', () => {
  let directory: string;
  let layer: Layer;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'slipway-layer-'));
    layer = await nodeLayer(process.execPath, process.versions.node, join(directory, 'first'));
  }, 240_000);

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it('says the truth about its file', () => {
    const file = readFileSync(layer.file);
    expect({ size: layer.size, digest: layer.digest, diffId: layer.diffId }).toEqual({
      size: file.length,
      digest: digestOf(file),
      diffId: digestOf(gunzipSync(file)),
    });
  });

  it('is the same, byte for byte, when it is made again elsewhere', async () => {
    const { file, ...again } = await nodeLayer(process.execPath, process.versions.node, join(directory, 'second'));
    expect({ ...again, file: layer.file }).toEqual(layer);
    expect(readFileSync(file).equals(readFileSync(layer.file))).toBe(true);
  }, 240_000);

  it('is not made again where it is kept', async () => {
    const { mtimeNs } = statSync(layer.file, { bigint: true });
    expect(await nodeLayer(process.execPath, process.versions.node, join(directory, 'first'))).toEqual(layer);
    expect(statSync(layer.file, { bigint: true }).mtimeNs).toBe(mtimeNs);
  });
});
