/**
 * `node test/integration/platform-launcher.ts <dir>`: a launcher to be killed. Starts the systems and one container,
 * prints the container's id and `ready`, and waits for a signal.
 */
import { clearData } from '../../local/platform/directories.ts';
import { Supervisor } from '../../local/platform/supervisor.ts';
import { startSystems } from '../../local/platform/systems.ts';
import { runCommandLine, SetupError } from '../../local/setup-error.ts';
import { ensureToolbox, PART_NAMES } from '../../local/toolbox/toolbox.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

await runCommandLine(async () => {
  const [dir] = process.argv.slice(2);
  if (dir === undefined) {
    throw new SetupError('usage: platform-launcher <dir>');
  }
  const toolbox = await ensureToolbox(PART_NAMES, say);
  const supervisor = await Supervisor.open({ dir, log: say });
  clearData(supervisor.directories);
  const { engine, baseImage } = await startSystems(supervisor, toolbox);
  const pull: NodeJS.ReadableStream = await engine.client.pull(baseImage.reference);
  await new Promise<void>((resolve, reject) => {
    engine.client.modem.followProgress(pull, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
  const container = await engine.client.createContainer({
    Image: baseImage.reference,
    Cmd: ['/usr/local/bin/node', '--eval', 'setInterval(() => {}, 1000)', `--title=${supervisor.directories.root}`],
    Labels: { 'slipway.test': supervisor.directories.root },
    HostConfig: { NetworkMode: 'host' },
  });
  await container.start();
  const { State } = await container.inspect();
  say(`container ${State.Pid}`);
  say('ready');
  await new Promise(() => {
    setInterval(() => {}, 60_000);
  });
});
