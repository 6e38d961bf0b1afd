import { createService } from './server.js';

const service = createService({
  version: process.env.SLIPWAY_VERSION ?? 'development',
  revision: process.env.SLIPWAY_REVISION ?? '',
});
// The balancer keeps idle connections for reuse; it must be the one that closes them.
service.server.keepAliveTimeout = 60_000;
service.server.listen(Number(process.env.PORT0 ?? 8080), '127.0.0.1');
process.once('SIGTERM', async () => {
  await service.close();
  process.exit();
});
