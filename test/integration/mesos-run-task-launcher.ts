/** A worker that runs one task and tells its progress on stdout, to be killed by the suite: `node FILE OPTIONS-JSON`. */
import { type RunTaskOptions, runTask } from '../../activities/mesos/run-task.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as Omit<RunTaskOptions, 'onProgress' | 'signal'>;
const result = await runTask({
  ...options,
  onProgress: (progress) => process.stdout.write(`${JSON.stringify(progress)}\n`),
  signal: new AbortController().signal,
});
process.stdout.write(`${JSON.stringify({ result })}\n`);
