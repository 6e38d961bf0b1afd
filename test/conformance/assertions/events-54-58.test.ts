import { expect, it, jest } from '@jest/globals';
import { until } from '../../integration/mesos-until.ts';
import { onBothProfiles, SLEEP } from './rig.ts';

jest.setTimeout(180_000);

interface Frame {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** One raw connection to the stream. */
async function listen(url: string, query = '') {
  const controller = new AbortController();
  const response = await fetch(`${url}/v2/events${query}`, {
    headers: { Accept: 'text/event-stream' },
    signal: controller.signal,
  });
  let text = '';
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true });
  })().catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  return {
    response,
    text: () => text,
    frames: (): readonly Frame[] =>
      [...text.matchAll(/^event: (.+)\r\ndata: (.+)\r\n\r\n/gm)].map(([, event = '', data = '']) => ({
        event,
        data: JSON.parse(data),
      })),
    stop: async () => {
      controller.abort();
      await reading;
    },
  };
}

onBothProfiles((rig) => {
  it('54. The stream answers to its media type and begins with one’s own attachment', async () => {
    const stream = await listen(rig.url);
    expect(stream.response.status).toBe(200);
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream;charset=utf-8');
    await until('something was told', 30_000, () => stream.frames().length > 0);
    expect(stream.text()).toMatch(/^event: event_stream_attached\r\ndata: \{.*\}\r\n\r\n/);
    expect(stream.frames()[0]?.data).toEqual({
      remoteAddress: '127.0.0.1',
      eventType: 'event_stream_attached',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    await stream.stop();
    for (const accept of ['application/json', '*/*', 'text/event-stream, */*']) {
      expect([accept, (await rig.call('GET', '/v2/events', undefined, { Accept: accept })).status]).toEqual([
        accept,
        405,
      ]);
    }
  });

  it('55. Within ten seconds of a creation there are events, each with a type and a time', async () => {
    const stream = await listen(rig.url);
    await rig.call('POST', '/v2/apps', { id: '/a', ...SLEEP });
    await until('more than the attachment was told', 30_000, () => stream.frames().length > 1);
    await rig.settled('/a');
    await stream.stop();
    for (const { event, data } of stream.frames()) {
      expect(data).toMatchObject({ eventType: event, timestamp: expect.stringMatching(/^\d{4}-.*Z$/) });
    }
  });

  it('56. A filter by type lets nothing else through', async () => {
    const none = await listen(rig.url, '?event_type=no_such_event');
    const two = await listen(rig.url, '?event_type=deployment_success&event_type=status_update_event');
    await rig.create({ id: '/a' });
    await until('both kinds were told', 30_000, () => new Set(two.frames().map(({ event }) => event)).size === 2);
    await Promise.all([none.stop(), two.stop()]);
    expect(new Set(two.frames().map(({ event }) => event))).toEqual(
      new Set(['deployment_success', 'status_update_event']),
    );
    expect(none.frames()).toEqual([]);
  });

  it('57. With the light form of plans there is no group before and none after in them', async () => {
    const stream = await listen(rig.url, '?plan-format=light');
    await rig.create({ id: '/a' });
    await until('the end was told', 30_000, () => stream.frames().some(({ event }) => event === 'deployment_success'));
    await stream.stop();
    const plans = stream.frames().flatMap(({ data }) => data['plan'] ?? []);
    expect(plans.length).toBeGreaterThanOrEqual(5);
    for (const plan of plans) expect(Object.keys(plan).toSorted()).toEqual(['id', 'steps', 'version']);
  });

  it('58. The service says pong, its name, its version and its leader', async () => {
    const ping = await rig.call('GET', '/ping');
    expect([ping.status, ping.body]).toEqual([200, 'pong']);
    expect(ping.headers.get('content-type')).toMatch(/^text\/plain/);
    const json = await rig.call('GET', '/ping', undefined, { Accept: 'application/json' });
    expect([json.headers.get('content-type'), json.body]).toEqual(['application/json', 'pong']);
    const { host } = new URL(rig.url);
    const info = (await rig.call('GET', '/v2/info')).body;
    expect(info).toMatchObject({ name: 'marathon', leader: host, elected: true });
    expect(info.version).toMatch(rig.profile === '1.7' ? /^1\.7\.\d+$/ : /^1\.11\.\d+$/);
    expect((await rig.call('GET', '/v2/leader')).body).toEqual({ leader: host });
  });
});
