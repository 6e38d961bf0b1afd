/** Limits of command tasks by Linux control groups, as Mesos' isolators `cgroups/cpu` and `cgroups/mem` set them. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../../activities/mesos/thrown.ts';
import type { TaskInfo } from '../../activities/mesos/types.ts';
import { amountsOf } from './resources.ts';

/** Mesos' MIN_CPU_SHARES, CPU_SHARES_PER_CPU and MIN_MEMORY. */
const MIN_SHARES = 2;
const SHARES_PER_CPU = 1024;
const MIN_MEMORY_MIB = 32;
const MIB = 1024 * 1024;

const PARENT = 'slipway-cell';
const REMOVE_TRIES = 50;
const REMOVE_PAUSE_MS = 20;

/** What a task may use; pure. */
export function limitsOf(task: TaskInfo): { readonly cpuShares: number; readonly memoryMib: number } {
  const { scalars } = amountsOf(task.resources);
  return {
    cpuShares: Math.max(MIN_SHARES, Math.trunc((scalars.get('cpus') ?? 0) * SHARES_PER_CPU)),
    memoryMib: Math.max(MIN_MEMORY_MIB, Math.trunc(scalars.get('mem') ?? 0)),
  };
}

/** Shares (2 to 262144) as a weight of version 2 (1 to 10000), in the way of runc and systemd. */
export function weightOf(shares: number): number {
  return 1 + Math.trunc(((Math.min(shares, 262_144) - 2) * 9999) / 262_142);
}

/** The control groups of one agent's tasks. */
export class Cgroups {
  readonly #root: string;
  readonly #version: 1 | 2;
  /** Of this agent alone. */
  readonly #name: string;

  /**
   * @param owner what outlives the agent's process and names it, such as its work directory
   * @throws when this machine or this user has no control groups of CPU and memory to give
   */
  constructor(owner: string, root = '/sys/fs/cgroup') {
    this.#root = root;
    this.#version = existsSync(join(root, 'cgroup.controllers')) ? 2 : 1;
    this.#name = join(PARENT, createHash('sha256').update(owner).digest('hex').slice(0, 16));
    try {
      for (const directory of this.#agentDirectories()) mkdirSync(directory, { recursive: true });
      if (this.#version === 2) {
        for (const directory of [root, join(root, PARENT), join(root, this.#name)]) {
          writeFileSync(join(directory, 'cgroup.subtree_control'), '+cpu +memory');
        }
      }
    } catch (cause) {
      throw new Error(`no control groups of CPU and memory below ${root}; they need root, or isolation posix`, {
        cause,
      });
    }
  }

  /** Makes the groups of a task. @returns the files that take the pid of its first process */
  create(containerId: string, task: TaskInfo): readonly string[] {
    const { cpuShares, memoryMib } = limitsOf(task);
    const bytes = String(memoryMib * MIB);
    const directories = this.#directories(containerId);
    for (const directory of directories) mkdirSync(directory, { recursive: true });
    if (this.#version === 2) {
      this.#set(containerId, 'memory', 'memory.max', bytes);
      this.#set(containerId, 'memory', 'memory.swap.max', '0');
      this.#set(containerId, 'cpu', 'cpu.weight', String(weightOf(cpuShares)));
    } else {
      this.#set(containerId, 'memory', 'memory.limit_in_bytes', bytes);
      this.#set(containerId, 'memory', 'memory.memsw.limit_in_bytes', bytes);
      this.#set(containerId, 'cpu', 'cpu.shares', String(cpuShares));
    }
    return directories.map((directory) => join(directory, 'cgroup.procs'));
  }

  /** In Mesos' words, once the kernel has killed anything of the task for want of memory. */
  memoryExceeded(containerId: string, task: TaskInfo): string | undefined {
    const events = this.#version === 2 ? 'memory.events' : 'memory.oom_control';
    const text = this.#get(containerId, events);
    if (!/^oom_kill [1-9]/m.test(text)) return undefined;
    const most = Number(this.#get(containerId, this.#version === 2 ? 'memory.peak' : 'memory.max_usage_in_bytes'));
    const used = most > 0 ? ` Maximum Used: ${Math.trunc(most / MIB)}MB` : '';
    return `Memory limit exceeded: Requested: ${limitsOf(task).memoryMib}MB${used}`;
  }

  /** Removes the groups of a task that has no process any more. */
  async remove(containerId: string): Promise<void> {
    for (const directory of this.#directories(containerId)) await removeDirectory(directory);
  }

  /** Removes the groups of every task but these; what runs in them was ended. */
  async removeOthers(known: ReadonlySet<string>): Promise<void> {
    const found = this.#agentDirectories().flatMap((directory) =>
      readdirSync(directory, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : [])),
    );
    for (const containerId of new Set(found)) if (!known.has(containerId)) await this.remove(containerId);
  }

  /** Removes the agent's own groups, and what is above them if it was the last; those of its tasks are gone. */
  async close(): Promise<void> {
    for (const directory of this.#agentDirectories()) {
      await removeDirectory(directory);
      const parent = dirname(directory);
      if (existsSync(parent) && readdirSync(parent, { withFileTypes: true }).every((entry) => !entry.isDirectory())) {
        await removeDirectory(parent);
      }
    }
  }

  #agentDirectories(): string[] {
    return this.#version === 2
      ? [join(this.#root, this.#name)]
      : ['memory', 'cpu'].map((controller) => join(this.#root, controller, this.#name));
  }

  #directories(containerId: string): string[] {
    return this.#agentDirectories().map((directory) => join(directory, containerId));
  }

  #file(containerId: string, controller: 'memory' | 'cpu', file: string): string {
    return join(this.#root, this.#version === 2 ? '' : controller, this.#name, containerId, file);
  }

  /** Kernels without swap accounting lack its files. */
  #set(containerId: string, controller: 'memory' | 'cpu', file: string, value: string): void {
    const path = this.#file(containerId, controller, file);
    if (existsSync(path)) writeFileSync(path, value);
  }

  #get(containerId: string, file: string): string {
    const path = this.#file(containerId, 'memory', file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }
}

/** A group is busy for a moment after the last of its processes has ended. */
async function removeDirectory(directory: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      rmdirSync(directory);
      return;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      if (codeOf(error) !== 'EBUSY' || tries === REMOVE_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, REMOVE_PAUSE_MS));
    }
  }
}
