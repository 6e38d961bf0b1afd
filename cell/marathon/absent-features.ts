import type { Problem } from './json-shape.ts';
import type { AppConfig } from './model.ts';

/**
 * What an app of the cell can't have although a Marathon may allow it, as problems in the form of all others. Volumes
 * that are not there would be lost with their task: better no app than one that loses its data. Without instances an
 * app with persistent volumes is kept like any other.
 */
export function absentFeatures({ container, instances }: AppConfig): readonly Problem[] {
  return (container?.volumes ?? []).flatMap((volume, index): Problem[] => {
    const path = `/container/volumes(${index})`;
    if (volume.external) {
      return [
        { path, error: 'Feature external_volumes is not enabled. Enable with --enable_features external_volumes)' },
      ];
    }
    if (!volume.persistent || instances === 0) return [];
    return [
      { path: `${path}/persistent`, error: 'This cell has no persistent volumes; only 0 instances are possible' },
    ];
  });
}
