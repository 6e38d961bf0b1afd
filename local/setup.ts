/** `make setup`: finds or installs every part, and says what it found or did. `platform`: only what the platform needs. */
import { runCommandLine } from './setup-error.ts';
import { ensureToolbox, PART_NAMES, PLATFORM_PARTS } from './toolbox/toolbox.ts';

await runCommandLine(async () => {
  const started = Date.now();
  const say = (line: string): void => {
    process.stdout.write(`setup: ${line}\n`);
  };
  const toolbox = await ensureToolbox(process.argv[2] === 'platform' ? PLATFORM_PARTS : PART_NAMES, say);
  const parts = Object.entries(toolbox.versions()).map(([name, version]) => `${name} ${version}`);
  say(`ready in ${((Date.now() - started) / 1000).toFixed(1)} s: ${parts.join(', ')}`);
});
