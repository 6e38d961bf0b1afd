/**
 * Images can't be pulled everywhere, so what can be known of docker-compose.yml without them is held here: that
 * docker-compose takes it, and that it agrees with Slipway's configuration, the code and the Dockerfile.
 */
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { builderTask } from '../../activities/build/builder-task.ts';
import { runCommand } from '../../local/toolbox/run-command.ts';
import { loadConfiguration } from '../../workers/configuration.ts';
import { SearchAttribute } from '../../workflows/contract.ts';

jest.setTimeout(60_000);

const repository = dirname(dirname(import.meta.dirname));
const read = (...path: string[]) => readFileSync(join(repository, ...path), 'utf8');
const temporary = mkdtempSync(join(tmpdir(), 'slipway-compose-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const secrets = Object.fromEntries(
  [...read('deploy/compose/example.env').matchAll(/^([A-Z_]+)=$/gm)].map(([, name = ''], index) => [
    name,
    name === 'SLIPWAY_CHAT_IN' ? `whsec_${Buffer.alloc(32, index).toString('base64')}` : `secret-${index}`,
  ]),
);

const strings = z.array(z.string()).default([]);
const serviceSchema = z.object({
  image: z.string(),
  command: z.union([z.string(), z.array(z.string())]).optional(),
  environment: z.record(z.string(), z.coerce.string()).default({}),
  network_mode: z.string().optional(),
  ports: strings,
  expose: strings,
  volumes: strings,
  restart: z.string().optional(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  build: z.object({ context: z.string(), target: z.string() }).optional(),
});

/** The file as docker-compose understands it. */
async function resolved() {
  const environment = join(temporary, 'env');
  writeFileSync(
    environment,
    Object.entries(secrets)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const { stdout } = await runCommand('docker-compose', ['--env-file', environment, 'config'], {
    timeoutMs: 60_000,
    cwd: repository,
  });
  return z.object({ services: z.record(z.string(), serviceSchema) }).parse(parse(stdout));
}

const { services } = await resolved();
const all = Object.entries(services).map(([name, service]) => ({ name, ...service }));
const configuration = loadConfiguration(join(repository, 'deploy/compose/slipway.config.yaml'), secrets);
const configurationText = read('deploy/compose/slipway.config.yaml');
const slipway = all.filter(({ image }) => /^slipway(-balancer)?:/.test(image));
const { version } = z.object({ version: z.string() }).parse(JSON.parse(read('package.json')));

/** Who answers on each port of the host's loopback: published there, or on the host's network itself. */
const ownersOfPorts = new Map<string, string[]>();
for (const { name, network_mode, ports, expose } of all) {
  const published = ports.map((port) => /^127\.0\.0\.1:(\d+):\d+\/tcp$/.exec(port)?.[1] ?? `not on loopback: ${port}`);
  for (const port of [...published, ...(network_mode === 'host' ? expose : [])]) {
    ownersOfPorts.set(port, [...(ownersOfPorts.get(port) ?? []), name]);
  }
}

describe('docker-compose.yml', () => {
  it('names an exact version of every image', () => {
    for (const { image } of all) expect(image).toMatch(/^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9]+)?$/);
    for (const { image } of slipway) expect(image).toMatch(new RegExp(`:${version.replaceAll('.', '\\.')}$`));
    const imagesOfDockerfile = [...read('Dockerfile').matchAll(/^(?:FROM|COPY --from=)\s*(\S+:\S+)/gm)];
    expect(imagesOfDockerfile.length).toBeGreaterThan(0);
    for (const [, image] of imagesOfDockerfile) expect(image).toMatch(/:v?\d+\.\d+\.\d+(-[a-z-]+)?$/);
  });

  it('publishes nothing but on loopback, and no port twice', () => {
    for (const [port, owners] of ownersOfPorts) {
      expect(port).toMatch(/^\d+$/);
      expect({ port, owners }).toEqual({ port, owners: [expect.any(String)] });
    }
  });

  it('tells each part on the host network the ports that it lists', () => {
    // Consul's ports are its defaults; those of the balancer's frontends and of the API come from the configuration.
    const fromElsewhere = new Set(['8500', '8600', '8090', ...environments().map(({ port }) => port)]);
    for (const { name, network_mode, expose, environment, command } of all) {
      if (network_mode !== 'host') continue;
      const told = JSON.stringify([environment, command]);
      for (const port of expose) {
        expect({ name, port, told: fromElsewhere.has(port) || told.includes(port) }).toEqual({
          name,
          port,
          told: true,
        });
      }
    }
  });

  it('waits for health only where health is checked, and starts again what may end', () => {
    for (const { depends_on } of all) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const other = services[name];
        if (condition === 'service_healthy')
          expect({ name, checked: other?.healthcheck !== undefined }).toEqual({ name, checked: true });
        if (condition === 'service_completed_successfully') expect(other?.restart ?? 'no').not.toBe('always');
      }
    }
  });

  it('mounts files that exist, and runs programs that exist', () => {
    for (const { volumes, command } of all) {
      const sources = volumes.map((volume) => volume.split(':')[0] ?? '').filter((path) => path.startsWith(repository));
      for (const path of sources) expect({ path, exists: existsSync(path) }).toEqual({ path, exists: true });
      const programs =
        [command ?? []]
          .flat()
          .join(' ')
          .match(/\b(workers|deploy|setup)\/[\w./-]+\.(ts|hcl|ctmpl)/g) ?? [];
      for (const path of programs) {
        expect({ path, exists: existsSync(join(repository, path)) }).toEqual({ path, exists: true });
      }
    }
  });

  it('gives every environment an agent, and every agent ports of its own', () => {
    const agents = all.filter(({ environment }) => environment['MESOS_ATTRIBUTES'] !== undefined);
    const attributes = agents.map(({ environment }) => environment['MESOS_ATTRIBUTES']).toSorted();
    const wanted = [...environments().map(({ agentAttribute }) => agentAttribute), configuration.builder.attribute];
    expect(attributes).toEqual(wanted.toSorted());
    const ranges = agents
      .map(({ environment }) => /ports\(\*\):\[(\d+)-(\d+)\]/.exec(environment['MESOS_RESOURCES'] ?? ''))
      .map((match) => ({ from: Number(match?.[1]), to: Number(match?.[2]) }))
      .toSorted((a, b) => a.from - b.from);
    ranges.forEach(({ from, to }, index) => {
      expect(from).toBeGreaterThan(ranges[index - 1]?.to ?? 0);
      expect(to).toBeGreaterThan(from);
    });
  });
});

describe('the namespace in Temporal', () => {
  const script = read('deploy/compose/temporal/namespace.sh');

  it("has all of Slipway's search attributes", () => {
    const names = Object.values(SearchAttribute).map(({ name, type }) => `${name} ${type}`);
    const created = /for name in ([^;]+);/.exec(script)?.[1]?.split(' ') ?? [];
    const type = /--type (\w+)/.exec(script)?.[1]?.toUpperCase();
    expect(created.map((name) => `${name} ${type}`).toSorted()).toEqual(names.toSorted());
  });

  it('is the one that is configured', () => {
    const namespaces = [...script.matchAll(/--namespace (\w+)/g)].map(([, name]) => name);
    expect(new Set(namespaces)).toEqual(new Set([configuration.temporal.namespace]));
  });
});

describe("Slipway's configuration in it", () => {
  it('names no address that no part answers at', () => {
    const addresses = [...configurationText.matchAll(/\b([\w.-]+):(\d{4,5})\b/g)].map(([, host, port]) => ({
      host,
      port,
    }));
    const frontends = environments().map(({ address, port }) => ({ host: address, port }));
    expect(addresses.length).toBeGreaterThan(9);
    for (const { host, port = '' } of [...addresses, ...frontends]) {
      expect({ host, port, answers: ownersOfPorts.has(port) }).toEqual({ host: '127.0.0.1', port, answers: true });
    }
  });

  it.each([
    ['temporal', () => configuration.temporal.address],
    ['temporal-ui', () => configuration.temporal.ui],
    ['consul', () => configuration.consul.url],
    ['consul', () => configuration.consul.dns],
    ['registry-balancer', () => configuration.registry.address],
    ['registry-balancer', () => configuration.registry.replicas[0]],
    ['registry-balancer', () => configuration.registry.replicas[1]],
    ['registry-balancer', () => configuration.registry.maintenance.readOnly.join(' ')],
    ['influxdb', () => configuration.influx.url],
    ['mesos-master', () => configuration.mesos.master],
    ['balancer', () => configuration.balancers['main']?.runtime[0]],
    ['balancer', () => `127.0.0.1:${configuration.environments['prod']?.balancer.port}`],
    ['marathon', () => configuration.environments['prod']?.marathon.url],
    ['slipway-api', () => configuration.api.listen],
  ] as const)('finds %s at the port it names', (name, address) => {
    const port = /:(\d+)(?:\D|$)/.exec(address()?.replace(/^https?:/, '') ?? '')?.[1];
    expect(ownersOfPorts.get(port ?? '')).toEqual([name]);
  });

  it('has its registry maintained by the node worker of that name', () => {
    expect(services['slipway-node']?.environment['SLIPWAY_HOST']).toBe(configuration.registry.host);
  });

  it('uses the database that InfluxDB makes', () => {
    expect(services['influxdb']?.environment['INFLUXDB_DB']).toBe(configuration.influx.database);
  });
});

describe("the containers of Slipway's image", () => {
  const references = [...configurationText.matchAll(/\{ env: (\w+) \}/g)].map(([, name]) => name);

  it('get no variable that nothing reads', () => {
    const sources = globSync('{activities,api,workers,workflows,domain}/**/*.ts', { cwd: repository })
      .filter((file) => !file.endsWith('.test.ts'))
      .map((file) => read(file));
    const inCode = sources.flatMap((source) => [...source.matchAll(/\benv(?:\.|\[')([A-Z_]+)/g)]);
    const inTemplate = [...read('deploy/balancer/haproxy.cfg.ctmpl').matchAll(/mustEnv "(\w+)"/g)];
    const readable = new Set([...inCode, ...inTemplate].map(([, name]) => name).concat(references));
    for (const { name, environment } of slipway) {
      const unread = Object.keys(environment).filter((variable) => !readable.has(variable));
      expect({ name, unread }).toEqual({ name, unread: [] });
    }
  });

  it('get every secret that the configuration refers to', () => {
    expect(references.length).toBeGreaterThan(0);
    for (const { name, environment } of slipway.filter(({ environment }) => 'SLIPWAY_CONFIG' in environment)) {
      expect({ name, variables: Object.keys(environment) }).toEqual({
        name,
        variables: expect.arrayContaining(references),
      });
    }
  });
});

describe('the builder on the CI agent', () => {
  it('is started with the command, the variables and the image of this stack', () => {
    const { command, environment } = builderTask(
      { ...configuration, services: { sample: { repository: 'https://git.example/sample.git' } } },
      { builderId: 'b1', service: 'sample' },
    );
    const [program = ''] = command;
    const source = `deploy/compose/${basename(program)}`;
    expect(read('Dockerfile')).toContain(`COPY ${source} ${program}\n`);
    const script = read(source);
    const passed = [...script.matchAll(/--env (\w+)/g)].map(([, name]) => name);
    expect(passed.toSorted()).toEqual([...Object.keys(environment), 'MESOS_SANDBOX'].toSorted());
    expect(script).toContain(` ${services['slipway-api']?.image} `);
  });
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');
  const ignore = read('.dockerignore').split('\n');
  const copied = lines
    .filter((line) => /^COPY (?!--from)/.test(line))
    .flatMap((line) => line.split(/\s+/).slice(1, -1))
    .map((path) => path.replace(/^\.\//, ''));

  it.each(copied)('copies %s, which is there and in the build context', (path) => {
    expect(existsSync(join(repository, path))).toBe(true);
    expect(ignore).toContain(`!${path}`);
  });

  it('has every target that docker-compose.yml builds', () => {
    const targets = all.flatMap(({ build }) => (build === undefined ? [] : [build]));
    for (const { context, target } of targets) {
      expect(relative(repository, context)).toBe('');
      expect(lines.some((line) => line.startsWith('FROM ') && line.endsWith(` AS ${target}`))).toBe(true);
    }
  });
});

function environments() {
  return Object.values(configuration.environments).map(({ agentAttribute, balancer }) => ({
    agentAttribute,
    address: balancer.address,
    port: String(balancer.port),
  }));
}
