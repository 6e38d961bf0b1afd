import { describe, expect, it } from '@jest/globals';
import type { CommandInfo } from '../../activities/mesos/types.ts';
import { executorName } from './executor-name.ts';

describe('executorName', () => {
  it.each<[CommandInfo | undefined, string]>([
    [{ value: 'sleep 600' }, "sh -c 'sleep 600'"],
    [{ value: 'fifteen letters' }, "sh -c 'fifteen letters'"],
    [{ value: 'sixteen letters!' }, "sh -c 'sixteen lett...'"],
    [{ shell: false, value: 'run', arguments: ['-x'] }, '[run, -x]'],
    [{ shell: false, value: '/bin/program', arguments: ['-x'] }, '[/bin/program...]'],
    [undefined, 'NO COMMAND'],
    [{ shell: false }, 'NO EXECUTABLE'],
  ])('%j', (command, shown) => {
    expect(executorName({ task_id: { value: 't' }, ...(command && { command }) })).toBe(
      `Command Executor (Task: t) (Command: ${shown})`,
    );
  });
});
