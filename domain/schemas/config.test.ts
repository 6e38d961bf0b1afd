import { describe, expect, it } from '@jest/globals';
import { parseConfiguration } from './config.ts';

const example = () => ({
  temporal: { address: '127.0.0.1:7233' },
  consul: { url: 'http://127.0.0.1:8500', dns: '127.0.0.1:8600', token: { env: 'CONSUL_TOKEN' } },
  registry: {
    address: '127.0.0.1:5000',
    replicas: ['127.0.0.1:5000'],
    host: 'local',
    maintenance: { readOnly: ['mode', 'ro'], collect: ['collect'], readWrite: ['mode', 'rw'] },
  },
  ledger: { url: { env: 'LEDGER_URL' } },
  influx: { url: 'http://127.0.0.1:8086', database: 'slipway' },
  mesos: { master: 'http://127.0.0.1:5050' },
  balancers: { main: { runtime: ['127.0.0.1:9999'] } },
  environments: {
    fat: {
      tier: 'integration',
      marathon: { url: 'http://127.0.0.1:8080' },
      agentAttribute: 'env:fat',
      balancer: { name: 'main', address: '127.0.0.1', port: 8001 },
    },
  },
  builder: {
    attribute: 'role:ci',
    command: ['node', 'workers/builder.ts'],
    docker: '/var/run/docker.sock',
    cpus: 0.5,
    memoryMiB: 512,
    startSeconds: 60,
  },
  services: { sample: { repository: '/srv/git/sample.git' } },
  api: { listen: '127.0.0.1:8090', url: 'http://127.0.0.1:8090', tokens: [{ name: 'ann', token: { env: 'T' } }] },
  schedules: { autoscale: { everySeconds: 5, windowSeconds: 5 }, collectGarbage: { everySeconds: 86_400 } },
});

const errorsOf = (document: unknown) =>
  (parseConfiguration(document).errors ?? []).map((e) => `${e.path} ${e.message}`);

describe('the configuration schema', () => {
  it('takes a whole configuration and fills in what may be left out', () => {
    const { configuration, errors } = parseConfiguration(example());
    expect(errors).toBeUndefined();
    expect(configuration?.temporal).toEqual({ address: '127.0.0.1:7233', namespace: 'default' });
    expect(configuration?.chat).toEqual({ outbound: [] });
    expect(configuration?.services['sample']).toEqual({ repository: '/srv/git/sample.git', branch: 'main' });
  });

  it('knows groups of people and who may release where', () => {
    const whole = example();
    const fat = { ...whole.environments.fat, releasers: 'testers' };
    const { configuration, errors } = parseConfiguration({
      ...whole,
      groups: { testers: ['ann', 'gitlab'] },
      environments: { fat },
    });
    expect(errors).toBeUndefined();
    expect(configuration?.groups).toEqual({ testers: ['ann', 'gitlab'] });
    expect(configuration?.environments['fat']?.releasers).toBe('testers');
    expect(parseConfiguration(whole).configuration?.groups).toEqual({});
    expect(errorsOf({ ...whole, groups: { others: [] }, environments: { fat } })).toEqual([
      'groups.others is not valid: write at least one name',
      'environments.fat.releasers names no group; the groups are: others',
    ]);
  });

  it('knows when everyone may release to an environment', () => {
    const whole = example();
    const withWindows = (windows: unknown) => ({
      ...whole,
      environments: { fat: { ...whole.environments.fat, windows } },
    });
    const nights = { from: '22:00', to: '06:00', zone: 'Asia/Shanghai' };
    const fridays = { ...nights, days: ['fri'], to: '24:00' };
    const { configuration, errors } = parseConfiguration(withWindows([nights, fridays]));
    expect(errors).toBeUndefined();
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    expect(configuration?.environments['fat']?.windows).toEqual([{ ...nights, days }, fridays]);
    expect(parseConfiguration(whole).configuration?.environments['fat']).not.toHaveProperty('windows');
    expect(errorsOf(withWindows([{ days: ['monday'], from: '9:00', to: '24:30', zone: 'Shanghai' }]))).toEqual([
      'environments.fat.windows.0.days.0 is not valid: write one of mon, tue, wed, thu, fri, sat, sun',
      'environments.fat.windows.0.from is not valid: write a time such as 09:00, in quotes',
      'environments.fat.windows.0.to is not valid: write a time such as 17:00, or 24:00, in quotes',
      'environments.fat.windows.0.zone is not valid: write a time zone, such as Asia/Shanghai or UTC',
    ]);
    expect(errorsOf(withWindows(nights))).toEqual([
      'environments.fat.windows is not valid: write a list of { days, from, to, zone }',
    ]);
  });

  it('lists every error with its path and what to write, those between sections with those of shape', () => {
    const broken = example();
    const document = {
      ...broken,
      temporal: { address: '127.0.0.1' },
      consul: { url: 'localhost:8500', dns: '127.0.0.1:99999', tokn: 1 },
      influx: undefined,
      environments: {
        fat: { ...broken.environments.fat, tier: 'test', balancer: { name: 'other', address: '127.0.0.1', port: 0 } },
      },
    };
    expect(errorsOf(document)).toEqual([
      'temporal.address is not valid: write host:port, such as 127.0.0.1:7233',
      'consul.url is not valid: write an http or https URL, such as http://127.0.0.1:8500',
      'consul.dns is not valid: write host:port, such as 127.0.0.1:8600',
      'consul.tokn is not a setting here: use one of url, dns, token',
      'influx is missing: write a section with url, database',
      'environments.fat.tier is not valid: write integration or production',
      'environments.fat.balancer.port is not valid: write a port, 1 to 65535',
      'environments.fat.balancer.name names no balancer: the balancers are main',
    ]);
  });

  it.each([{}, { url: { env: 'LEDGER_URL' }, directory: '/var/lib/slipway/ledger' }])(
    'wants one place for the ledger: %j',
    (ledger) => {
      expect(errorsOf({ ...example(), ledger })).toEqual(['ledger is in one place: write either url or directory']);
      expect(errorsOf({ ...example(), ledger: { directory: '/var/lib/slipway/ledger' } })).toEqual([]);
    },
  );

  it('names every section that is missing from an empty document, and a document that is none', () => {
    expect(errorsOf({})).toHaveLength(12);
    expect(errorsOf(null)).toEqual([expect.stringContaining('is not valid: write a section with temporal')]);
  });

  it('refuses a secret written into the file, and does not repeat it', () => {
    const document = { ...example(), consul: { ...example().consul, token: 'hunter2' } };
    const [error, ...rest] = errorsOf(document);
    expect(rest).toEqual([]);
    expect(error).toMatch(/^consul\.token .*write \{ env: NAME \}/);
    expect(error).not.toContain('hunter2');
  });

  it('refuses one port of one balancer for two environments', () => {
    const { fat } = example().environments;
    expect(errorsOf({ ...example(), environments: { fat, uat: fat } })).toEqual([
      'environments.uat.balancer.port is the port of fat too: each environment has its own',
    ]);
  });

  it('refuses two services whose DNS names would be one', () => {
    const { fat } = example().environments;
    const own = { ...fat, balancer: { ...fat.balancer, port: 8002 } };
    const document = {
      ...example(),
      environments: { fat, 'b-fat': own },
      services: { a: { repository: 'x' }, 'a-b': { repository: 'y' } },
    };
    expect(errorsOf(document)).toEqual([
      'services.a-b has the DNS name a-b-fat in fat, and so has a in b-fat: rename one',
    ]);
  });

  it('refuses names that are no DNS labels, or too long together', () => {
    const long = 's'.repeat(62);
    expect(
      errorsOf({ ...example(), services: { Sample_1: { repository: 'x' }, [long]: { repository: 'x' } } }),
    ).toEqual([
      'services.Sample_1 is not a valid name: write lower-case letters, digits and inner hyphens, beginning with a letter',
      expect.stringContaining(`services.${long} is too long`),
    ]);
  });

  it('refuses nothing to run in, nobody to act and no proof of the sender', () => {
    const document = {
      ...example(),
      environments: {},
      balancers: {},
      api: { ...example().api, tokens: [] },
      gitlab: {},
    };
    expect(errorsOf(document)).toEqual([
      'api.tokens is not valid: write at least one { name, token }: nobody could use the API',
      'balancers is empty: write at least one balancer',
      'environments is empty: write at least one environment',
      'gitlab proves no sender: write token, signingSecret or both',
    ]);
  });

  it('refuses two tokens of one name', () => {
    const tokens = [
      { name: 'ann', token: { env: 'A' } },
      { name: 'ann', token: { file: 'b' } },
    ];
    expect(errorsOf({ ...example(), api: { ...example().api, tokens } })).toEqual([
      'api.tokens.1.name ann is there twice: each token has its own name',
    ]);
  });
});
