/** Holds what the documents tell people to type, open and install to what there is. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { addCellCommands } from '../bin/cell/commands.ts';
import { buildProgram } from '../cli/program.ts';

const root = dirname(import.meta.dirname);
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'BENCHMARKS.md',
  'docs/operations.md',
  'docs/configuration.md',
  'docs/dependencies.md',
];
const everything = DOCUMENTS.map((file) => ({ file, text: read(file) }));
const found = (pattern: RegExp) =>
  everything.flatMap(({ file, text }) => [...text.matchAll(pattern)].map((match) => ({ file, match })));

describe('the documents', () => {
  it('name make targets that exist', () => {
    const makefile = read('Makefile');
    const suites =
      /^SUITES := (.*)$/m
        .exec(makefile)?.[1]
        ?.split(' ')
        .map((suite) => `test-${suite}`) ?? [];
    const targets = new Set([...makefile.matchAll(/^([a-z]+):/gm)].map((match) => match[1] ?? '').concat(suites));
    const named = found(/(?:^ {4}|`)make ([a-z-]+)/gm).map(({ match }) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((target) => !targets.has(target))).toEqual([]);
  });

  it('name commands and options of slipway that exist', () => {
    const silent = { write: () => true };
    const io = { stdout: silent, stderr: silent, env: {}, interrupted: new AbortController().signal, ask: undefined };
    const local = ['doctor', 'config'].map((name) => ({ name, description: name, run: async () => 0 }));
    const program = buildProgram(io, { local, addMore: addCellCommands }, () => {});
    const named = found(/(?:^ {4}|`|SLIPWAY_TOKEN=\.\.\. )slipway ((?:[^`\n]|"\.\.\.")+)/gm);
    expect(named.length).toBeGreaterThan(8);
    for (const { file, match } of named) {
      const [name = '', ...rest] = (match[1] ?? '').replace(/#.*$/, '').trim().split(/\s+/);
      const outer = program.commands.find((one) => one.name() === name);
      // Of a group, such as "cell", the command within.
      const command = rest.reduce(
        (within, word) => within?.commands.find((one) => one.name() === word) ?? within,
        outer,
      );
      const options = rest.filter((word) => word.startsWith('-'));
      const known = [...program.options, ...(command?.options ?? [])].flatMap(({ short, long }) => [short, long]);
      expect({ file, name, exists: command !== undefined }).toEqual({ file, name, exists: true });
      expect({ name, unknown: options.filter((option) => !known.includes(option)) }).toEqual({ name, unknown: [] });
    }
  });

  it('name files that exist', () => {
    const folders = 'activities|api|bench|cell|cli|deploy|docs|domain|lint|local|test|workers|workflows';
    const named = [
      ...found(/\]\(([^):#]+)\)/g).map(({ file, match }) => join(dirname(file), match[1] ?? '')),
      ...found(new RegExp(`\`((?:${folders})/[\\w./-]*[\\w/])\``, 'g')).map(({ match }) => match[1] ?? ''),
    ];
    expect(named.length).toBeGreaterThan(20);
    const made = /^bench\/results\//;
    expect(named.filter((path) => !made.test(path) && !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('the table of parts', () => {
  const readme = read('README.md');
  const cell = (part: string, column: number) => {
    const row = readme.split('\n').find((line) => line.startsWith(`| ${part} |`));
    return row?.split('|')[column + 1]?.trim() ?? '';
  };

  it.each([
    ['Temporal', 'temporal-cli'],
    ['Temporal test server', 'temporal-test-server'],
    ['real Mesos', 'mesos'],
    ['Consul', 'consul'],
    ['consul-template', 'consul-template'],
    ['HAProxy', 'haproxy'],
    ['Docker engine', 'docker'],
    ['Docker Registry', 'docker-registry'],
    ['InfluxDB', 'influxdb'],
    ['PostgreSQL', 'postgresql'],
    ['git', 'git'],
  ])('tells the version of %s that the toolbox takes', (part, name) => {
    const source = read(`local/toolbox/parts/${name}.ts`);
    const pinned = /^ {4}version: '([^']+)'/m.exec(source)?.[1];
    const minimum = /minimum: '(\d+\.\d+)/.exec(source)?.[1] ?? 'no minimum';
    expect(cell(part, 2)).toContain(pinned ?? minimum);
  });

  it('tells the version of Node', () => {
    const { devDependencies } = JSON.parse(read('package.json'));
    expect(cell('Node.js', 2)).toContain(devDependencies.node);
    expect(read('Dockerfile')).toContain(`FROM node:${cell('Node.js', 3)}-`);
  });

  it.each([
    ['Temporal', ['temporalio/server', 'temporalio/ui', 'postgres']],
    ['Mesos', ['mesosphere/mesos-master', 'zookeeper']],
    ['Marathon', ['mesosphere/marathon']],
    ['Consul', ['hashicorp/consul']],
    ['HAProxy', ['haproxy']],
    ['consul-template', ['hashicorp/consul-template']],
    ['Docker Registry', ['registry']],
    ['InfluxDB', ['influxdb']],
    ['Grafana', ['grafana/grafana']],
  ])('tells the version of %s in docker-compose.yml', (part, images) => {
    const files = read('docker-compose.yml') + read('Dockerfile');
    for (const image of images) {
      const version = new RegExp(`[ =]${image}:v?(\\d+(?:\\.\\d+)+)`).exec(files)?.[1];
      expect({ image, version, told: cell(part, 3).includes(version ?? 'none') }).toMatchObject({ told: true });
    }
  });
});
