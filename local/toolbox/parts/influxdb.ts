import type { Part } from '../part.ts';

/** InfluxDB 1.x. */
export const influxdb = {
  name: 'influxdb',
  commands: ['influxd'],
  minimum: '1.6.0',
  below: '2',
  tells: { args: ['version'], pattern: /InfluxDB v?(\S+)/ },
  source: { kind: 'Debian package', package: 'influxdb', units: ['influxdb.service'] },
} as const satisfies Part;
