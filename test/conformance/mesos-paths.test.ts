import { expect } from '@jest/globals';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';

/** Paths that nothing is routed to, where something above them is: libprocess then takes that. Some clients rely on it. */

const HEALTHY = JSON.stringify({ type: 'GET_HEALTH', get_health: { healthy: true } });

describeOnEachMesos('a path below a route', { agents: [{ name: 'a', attributes: 'env:fat' }] }, (under) => {
  const get = async (url: string) => {
    const answer = await fetch(url, { redirect: 'manual' });
    return { status: answer.status, text: await answer.text() };
  };
  const health = async (path: string) => {
    const answer = await fetch(under.mesos.masterUrl + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ type: 'GET_HEALTH' }),
    });
    return answer.text();
  };

  under.it('is answered by it on a master', async () => {
    const { masterUrl } = under.mesos;
    expect(await health('/api/v1/operator')).toBe(HEALTHY);
    expect(await health('/master/api/v1/operator')).toBe(HEALTHY);
    for (const path of ['/state/foo', '/master/state/foo/bar', '/state/']) {
      expect(JSON.parse((await get(masterUrl + path)).text)).toMatchObject({ activated_slaves: 1 });
    }
    expect((await get(`${masterUrl}/health/x`)).status).toBe(200);
    expect((await get(`${masterUrl}/master/maintenance/schedule/x`)).status).toBe(200);
    for (const path of ['/master/maintenance', '/version/x', '/master/redirect/x', '/state.json', '/master', '/']) {
      expect({ path, ...(await get(masterUrl + path)) }).toEqual({ path, status: 404, text: '404 Not Found.' });
    }
  });

  under.it('may begin with several slashes', async () => {
    const { masterUrl } = under.mesos;
    expect(JSON.parse((await get(`${masterUrl}//state`)).text)).toMatchObject({ activated_slaves: 1 });
    expect(await get(`${masterUrl}//`)).toEqual({ status: 404, text: '404 Not Found.' });
  });

  under.it('is answered by it on an agent', async () => {
    const url = under.mesos.agents[0]?.url;
    for (const path of ['/state/x', '/slave(1)/state/x']) {
      expect(JSON.parse((await get(url + path)).text)).toMatchObject({ hostname: 'a' });
    }
    expect(await get(`${url}/slave(1)/containers/x`)).toEqual({ status: 200, text: '[]' });
    expect(await get(`${url}/files/browse/x`)).toMatchObject({
      status: 400,
      text: "Expecting 'path=value' in query.\n",
    });
  });
});
