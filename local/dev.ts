/** `make dev`: starts the platform, says where everything is, and leaves it running until Ctrl-C. */
import { join, relative } from 'node:path';
import { startPlatform } from './platform/platform.ts';
import { createSampleRepository } from './sample/repository.ts';
import { runCommandLine } from './setup-error.ts';

const ROOT = join(import.meta.dirname, '..');

await runCommandLine(async () => {
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const started = Date.now();
  const dir = join(ROOT, '.slipway');
  const sample = await createSampleRepository(join(dir, 'sample.git'), { nodeVersion: process.versions.node });
  await sample.push('first');
  const { urls, supervisor, configurationFile, secrets } = await startPlatform({
    dir,
    log: say,
    services: { sample: { repository: `file://${sample.path}`, branch: 'main' } },
  });
  const rows: readonly (readonly [string, string])[] = [
    ['API', urls.api],
    ['Temporal', urls.temporalUi],
    ['Consul', urls.consulUi],
    ['Marathon', urls.marathon],
    ['Mesos', urls.mesos],
    ['InfluxDB', urls.influx],
    ['registry', urls.registry],
    ...Object.entries(urls.frontends).map(([name, url]) => [`balancer, ${name}`, url] as const),
    ['sample service', relative(process.cwd(), sample.path)],
    ['configuration', relative(process.cwd(), configurationFile)],
    ['logs', relative(process.cwd(), supervisor.directories.logs)],
    ...Object.entries(secrets.tokens).map(([name, token]) => [`token of ${name}`, token] as const),
  ];
  say(`The platform is up in ${((Date.now() - started) / 1000).toFixed(1)} s. Ctrl-C ends it.\n`);
  for (const [name, value] of rows) {
    say(`  ${name.padEnd(16)} ${value}`);
  }
  // The processes are children with files for output, so nothing else keeps this one alive.
  setInterval(() => {}, 2 ** 30);
});
