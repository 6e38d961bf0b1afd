/**
 * Makes the registries behind `deploy/registry/haproxy.cfg` read-only, or read-write again:
 *
 *   node deploy/registry/registry-mode.ts <address:port of the runtime API> read-only|read-write
 *
 * Read-only it ends when new writes are refused and the running ones have ended, so that a garbage collection may
 * begin. Absolute and safe to repeat. Exit code 1 when that could not be had within two minutes; it says why.
 */
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const MAP = 'registry-mode.map';
const WITHIN_MS = 110_000;
const CALL_TIMEOUT_MS = 5_000;
const POLL_MS = 100;

const [runtime = '', mode = ''] = process.argv.slice(2);
try {
  await setMode(runtime, mode);
  process.stdout.write(`the registry is ${mode}\n`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function setMode(address: string, wanted: string): Promise<void> {
  if (!/^[^:]+:\d+$/.test(address) || (wanted !== 'read-only' && wanted !== 'read-write')) {
    throw new Error('usage: registry-mode.ts <address:port of the runtime API> read-only|read-write');
  }
  await call(address, `set map ${MAP} mode ${wanted}`);
  const stored = await call(address, `show map ${MAP}`);
  if (!stored.split('\n').some((line) => line.endsWith(` mode ${wanted}`))) {
    throw new Error(`the balancer at ${address} does not say that it is ${wanted}: ${stored.trim() || 'no answer'}`);
  }
  if (wanted === 'read-only') await writesEnded(address);
}

/** Resolves when no write is on its way to a registry. */
async function writesEnded(address: string): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const running = await runningWrites(address);
    if (running === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`${running} writes did not end within ${WITHIN_MS / 1000} s; end them or try again later`);
    }
    await delay(POLL_MS);
  }
}

async function runningWrites(address: string): Promise<number> {
  const [heading = '', ...rows] = (await call(address, 'show stat')).trim().split('\n');
  const columns = heading.replace(/^# /, '').split(',');
  const [proxy, server, sessions] = ['pxname', 'svname', 'scur'].map((column) => columns.indexOf(column));
  const writers = rows
    .map((row) => row.split(','))
    .filter((row) => row[proxy ?? -1]?.startsWith('writes') && row[server ?? -1] === 'BACKEND');
  if (writers.length === 0) throw new Error(`the balancer at ${address} has no backend for writes: ${heading}`);
  return writers.reduce((sum, row) => sum + Number(row[sessions ?? -1]), 0);
}

/** One command of the runtime API, which answers and then closes the connection. */
function call(address: string, command: string): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve, reject) => {
    const failed = (why: string) =>
      reject(new Error(`the balancer of the registry at ${address} did not answer \`${command}\`: ${why}`));
    const socket = createConnection({ host, port: Number(port), timeout: CALL_TIMEOUT_MS });
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${command}\n`));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', (error) => failed(error.message));
    socket.on('timeout', () => {
      socket.destroy();
      failed(`no answer within ${CALL_TIMEOUT_MS / 1000} s`);
    });
  });
}
