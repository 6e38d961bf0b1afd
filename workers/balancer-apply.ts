/**
 * `node workers/balancer-apply.ts <rendered> <configuration>`: the command that consul-template runs after each render.
 * Makes HAProxy do what was rendered; exit code 0 only when it does. See `deploy/balancer/` and `balancer/apply.ts`.
 *
 * Environment: `SLIPWAY_BALANCER_DIR` directory of the master's socket; `SLIPWAY_HAPROXY` HAProxy's executable, default
 * `haproxy` on PATH; `CONSUL_HTTP_ADDR` and `CONSUL_HTTP_TOKEN`, which consul-template sets.
 */
import { ConsulClient } from '../activities/consul/client.ts';
import { ApplyError, applyRender } from './balancer/apply.ts';

const [rendered, configuration] = process.argv.slice(2);
const directory = process.env['SLIPWAY_BALANCER_DIR'];
if (rendered === undefined || configuration === undefined || directory === undefined) {
  console.error('usage: SLIPWAY_BALANCER_DIR=<directory> balancer-apply <rendered> <configuration>');
  process.exit(2);
}
const address = process.env['CONSUL_HTTP_ADDR'] ?? '127.0.0.1:8500';
const scheme = process.env['CONSUL_HTTP_SSL'] === 'true' ? 'https' : 'http';
const token = process.env['CONSUL_HTTP_TOKEN'];
const consul = new ConsulClient({
  url: address.includes('://') ? address : `${scheme}://${address}`,
  timeoutMs: 2_000,
  ...(token ? { token } : {}),
});
const log = (line: string) => console.error(`balancer: ${line}`);
try {
  log(
    await applyRender({
      rendered,
      configuration,
      directory,
      haproxy: process.env['SLIPWAY_HAPROXY'] ?? 'haproxy',
      consul,
      log,
    }),
  );
} catch (error) {
  if (!(error instanceof ApplyError)) throw error;
  log(error.message);
  process.exitCode = 1;
} finally {
  consul.close();
}
