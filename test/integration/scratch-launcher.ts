/** `node test/integration/scratch-launcher.ts <dir>`: a launcher to be killed, with one process; prints that one's pid. */
import { Supervisor, Wave } from '../../local/platform/supervisor.ts';

const supervisor = await Supervisor.open({ dir: process.argv[2] ?? '', log: () => {} });
const sleeper = supervisor.add(Wave.systems, {
  name: 'sleeper',
  command: '/bin/sleep',
  args: ['600'],
  ready: async () => {},
  readyWithinMs: 5000,
  stopWithinMs: 5000,
});
await sleeper.start();
process.stdout.write(`${sleeper.pid}\n`);
setInterval(() => {}, 2 ** 30);
