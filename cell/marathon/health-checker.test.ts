import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { EventBus } from './events.ts';
import { HealthChecker } from './health-checker.ts';
import { HealthTracker } from './health-tracker.ts';
import { testApp } from './test-apps.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

it('lets no timer of an app live longer than the app is watched', () => {
  const bus = new EventBus(Date.now);
  const others = jest.getTimerCount();
  const checker = new HealthChecker({
    bus,
    tracker: new HealthTracker(bus, Date.now),
    running: () => [],
    unhealthy: () => undefined,
    changed: () => undefined,
    secondMs: 1_000,
    timeoutSecondMs: 1_000,
  });
  const check = {
    protocol: 'HTTP',
    gracePeriodSeconds: 300,
    intervalSeconds: 2,
    timeoutSeconds: 1,
    maxConsecutiveFailures: 3,
    delaySeconds: 0,
    ipProtocol: 'IPv4',
    portIndex: 0,
  } as const;
  checker.watch([testApp('/a', { healthChecks: [check, { ...check, intervalSeconds: 30 }] })]);
  expect(jest.getTimerCount()).toBe(others + 2);
  jest.advanceTimersByTime(3_000);
  checker.watch([]);
  expect(jest.getTimerCount()).toBe(others);
});
