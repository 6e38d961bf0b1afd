/** Roles: who is offered what is reserved, several roles of one framework, and what each refuses; on either Mesos. */
import { expect } from '@jest/globals';
import type { Offer } from '../../activities/mesos/types.ts';
import { scalar } from '../integration/mesos-framework.ts';
import { until } from '../integration/mesos-until.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { operatorSuite } from '../mesos-rig/operator-suite.ts';

const AGENT = {
  name: 'a',
  attributes: 'env:fat',
  portRange: [31600, 31609],
  reserved: 'cpus(ci):2;mem(ci):512;ports(ci):[31610-31619]',
} as const;

describeOnEachMesos('roles', { agents: [AGENT] }, (under) => {
  const { call, framework } = operatorSuite(under);
  const multi = [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }];
  const short = ({ resources }: Pick<Offer, 'resources'>) =>
    resources.map(({ name, role, scalar: amount, reservations }) => [
      name,
      role,
      amount?.value,
      reservations?.[0]?.role,
    ]);
  const UNRESERVED = [
    ['cpus', '*', 4, undefined],
    ['mem', '*', 4096, undefined],
    ['disk', '*', 10000, undefined],
  ];
  const RESERVED = [
    ['cpus', 'ci', 2, undefined],
    ['mem', 'ci', 512, undefined],
    ['ports', 'ci', undefined, undefined],
  ];
  const PORTS = [['ports', '*', undefined, undefined]];

  for (const [role, expected] of [
    ['ci', [...PORTS, ...RESERVED, ...UNRESERVED]],
    ['ci/web', [...PORTS, ...RESERVED, ...UNRESERVED]],
    ['cinema', [...PORTS, ...UNRESERVED]],
    ['*', [...PORTS, ...UNRESERVED]],
  ] as const) {
    under.it(`${role} is offered what is not reserved, and what is reserved for it or above it`, async () => {
      const test = await framework({ roles: [role], capabilities: multi });
      const offer = await until('an offer', 30_000, () => [...test.offers.values()][0]);
      expect(short(offer)).toEqual(expected);
      expect(offer.allocation_info).toEqual({ role });
      expect(offer.resources.every(({ allocation_info }) => allocation_info?.role === role)).toBe(true);
    });
  }

  under.it('are written as reservations for frameworks that can read them', async () => {
    const test = await framework({ roles: ['ci'], capabilities: [...multi, { type: 'RESERVATION_REFINEMENT' }] });
    const offer = await until('an offer', 30_000, () => [...test.offers.values()][0]);
    expect(short(offer)).toEqual([
      ['ports', undefined, undefined, undefined],
      ['cpus', undefined, 2, 'ci'],
      ['mem', undefined, 512, 'ci'],
      ['ports', undefined, undefined, 'ci'],
      ['cpus', undefined, 4, undefined],
      ['mem', undefined, 4096, undefined],
      ['disk', undefined, 10000, undefined],
    ]);
  });

  under.it('have what is used of their reservations told in every answer', async () => {
    const test = await framework({ roles: ['ci'], capabilities: multi });
    const ci = { role: 'ci' };
    const resources = [
      { ...scalar('cpus', 1.5), ...ci },
      { ...scalar('mem', 64), ...ci },
    ];
    await test.launch('a', { task_id: { value: 'reserved' }, command: { value: 'sleep 300' }, resources });
    await test.launch('a', {
      task_id: { value: 'too-much' },
      command: { value: 'sleep 300' },
      resources: [{ ...scalar('cpus', 1), ...ci }],
    });
    expect(await test.state('too-much', 'TASK_ERROR')).toMatchObject({
      message:
        'Total resources cpus(allocated: ci)(reservations: [(STATIC,ci)]):1 required by task and its executor is more ' +
        'than available ports(allocated: ci):[31600-31609]; cpus(allocated: ci)(reservations: [(STATIC,ci)]):0.5; ' +
        'mem(allocated: ci)(reservations: [(STATIC,ci)]):448; ports(allocated: ci)(reservations: [(STATIC,ci)]):' +
        '[31610-31619]; cpus(allocated: ci):4; mem(allocated: ci):4096; disk(allocated: ci):10000',
    });
    await test.state('reserved', 'TASK_RUNNING');
    await until('an offer', 30_000, () => test.offers.size === 1);
    const ofRole = { disk: 0, gpus: 0 };
    const { slaves } = (await (await fetch(`${under.mesos.masterUrl}/slaves`)).json()) as { slaves: object[] };
    const reservation = { role: 'ci', reservations: [{ type: 'STATIC', role: 'ci' }] };
    expect(slaves[0]).toMatchObject({
      resources: { cpus: 6, mem: 4608, ports: '[31600-31619]' },
      used_resources: { cpus: 1.5, mem: 64 },
      reserved_resources: { ci: { ...ofRole, cpus: 2, mem: 512, ports: '[31610-31619]' } },
      unreserved_resources: { cpus: 4, mem: 4096, ports: '[31600-31609]' },
      used_resources_full: [
        { ...scalar('cpus', 1.5), ...reservation, allocation_info: ci },
        { ...scalar('mem', 64), ...reservation, allocation_info: ci },
      ],
    });
    const { roles } = (await (await fetch(`${under.mesos.masterUrl}/roles`)).json()) as { roles: object[] };
    expect(roles.find((each) => (each as { name: string }).name === 'ci')).toMatchObject({
      quota: { consumed: { cpus: 2, mem: 512, ports: 10 } },
      allocated: { cpus: 1.5, mem: 64 },
      offered: { cpus: 4.5, disk: 10000, mem: 4544, ports: 20 },
      reserved: { cpus: 2, mem: 512, ports: 10 },
    });
    const { body } = await call({ type: 'GET_AGENTS' });
    const [agent] = (body as { get_agents: { agents: { agent_info: object; total_resources: object[] }[] } }).get_agents
      .agents;
    expect(agent?.agent_info).toMatchObject({
      resources: expect.arrayContaining([
        scalar('cpus', 4),
        { ...scalar('cpus', 2), reservations: reservation.reservations },
      ]),
    });
    expect(agent?.total_resources).toContainEqual({ ...scalar('cpus', 2), ...reservation });
  });

  under.it('of one framework are offered, refused and suppressed one by one', async () => {
    const test = await framework({ roles: ['web', 'db'], capabilities: multi });
    const roleOfOffer = () => [...test.offers.values()].map(({ allocation_info }) => allocation_info?.role);
    const first = await until('an offer', 30_000, () => [...test.offers.values()][0]);
    const other = first.allocation_info?.role === 'web' ? 'db' : 'web';
    test.offers.clear();
    await test.client.decline([first.id], { refuse_seconds: 3600 });
    const second = await until('an offer of the other role', 30_000, () => [...test.offers.values()][0]);
    expect(second.allocation_info?.role).toBe(other);
    test.offers.clear();
    await test.client.suppress([other]);
    await test.client.decline([second.id], { refuse_seconds: 0 });
    await test.client.revive([first.allocation_info?.role ?? '']);
    await until('an offer', 30_000, () => test.offers.size > 0);
    expect(roleOfOffer()).toEqual([first.allocation_info?.role]);
  });
});
