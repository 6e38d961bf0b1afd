/** The clients that suites of this folder need, and what installs them all. */
import { join } from 'node:path';
import { type Client, ClientUnavailable, ensureClient } from './client.ts';
import { goClient } from './go-program.ts';
import { npmClient } from './npm-packages.ts';
import { pythonClient } from './python-packages.ts';

const folder = (name: string) => join(import.meta.dirname, name);

/** The `dcos` command of DC/OS; its cryptography 2.0 has no build for a later Python. */
export const dcosCli = pythonClient(folder('dcos-cli'), ['3.6']);

/** marathon-python, which imports what Python 3.11 no longer has. */
export const marathonPython = pythonClient(folder('marathon-python'), ['3.7', '3.8', '3.9', '3.10']);
/** pymesos; its http-parser does not compile for Python 3.11. */
export const pymesos = pythonClient(folder('pymesos'), ['3.7', '3.8', '3.9', '3.10']);
/** mesos-framework, marathon-node and marathon-event-bus-client. */
export const npmClients = npmClient(folder('npm-clients'));
export const mesosGo = goClient(folder('mesos-go'));
export const mesosDns = goClient(folder('mesos-dns'));
export const goMarathon = goClient(folder('go-marathon'));

/** The provider of Traefik that reads Marathon, without the rest of Traefik. */
export const traefikMarathon = goClient(folder('traefik-marathon'));

const CLIENTS: readonly Client[] = [
  dcosCli,
  marathonPython,
  npmClients,
  mesosGo,
  mesosDns,
  goMarathon,
  traefikMarathon,
];

/** Installs what is missing, one after the other, and says for what this machine can't have that its suite is skipped. */
export async function ensureClients(say: (line: string) => void): Promise<void> {
  for (const client of CLIENTS) {
    await ensureClient(client, say).catch((error: unknown) => {
      if (!(error instanceof ClientUnavailable)) throw error;
      say(`${error.message}; its suite is skipped`);
    });
  }
}
