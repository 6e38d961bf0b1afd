import type { Language } from '../../cli/messages.ts';

/** Every sentence of `slipway cell`. */
export interface CellMessages {
  up(directory: string, pid: number): string;
  already(directory: string, pid: number): string;
  foreground(directory: string): string;
  ended(directory: string): string;
  keptFor(directory: string): string;
  down(directory: string): string;
  cleared(directory: string): string;
  none(directory: string): string;
  dead(directory: string): string;
  otherOptions(message: string): string;
  taken(what: string, port: number, flag: string): string;
  readonly noEngine: string;
  noEngineAt(path: string): string;
  dockerIsRemote(address: string): string;
  readonly faultsOff: string;
  readonly faultsSet: string;
  readonly faultsCleared: string;
  notJson(text: string, why: string): string;
  readonly columns: Readonly<
    Record<'agent' | 'attributes' | 'address' | 'ports' | 'tasks' | 'fault' | 'about' | 'matched' | 'hits', string>
  >;
}

const en: CellMessages = {
  up: (directory, pid) => `The cell runs as pid ${pid}; it keeps everything in ${directory}.`,
  already: (directory, pid) => `The cell in ${directory} runs already, as pid ${pid}.`,
  foreground: (directory) => `The cell runs until Ctrl-C; it keeps everything in ${directory}.`,
  ended: (directory) => `Its tasks have ended. Bring it up again, or remove it: slipway cell down --state ${directory}`,
  keptFor: (directory) =>
    `The cell in ${directory} has ended; its apps start again with: slipway cell up --state ${directory}`,
  down: (directory) => `The cell in ${directory} is gone, with all it had.`,
  cleared: (directory) => `The cell in ${directory} did not run; what it had left is gone.`,
  none: (directory) => `There is no cell in ${directory}.`,
  dead: (directory) =>
    `The cell in ${directory} does not run. Bring it up again, which takes up its tasks, or remove it: slipway cell down --state ${directory}`,
  otherOptions: (message) => `${message}: end it first (slipway cell down), or name another --state`,
  taken: (what, port, flag) => `port ${port} for ${what} is taken: name another with ${flag}, or 0 for any`,
  noEngine: 'No Docker engine answers, so Docker tasks will fail; command tasks run. --docker names an engine.',
  noEngineAt: (path) => `no Docker engine answers at ${path}: name its socket with --docker, or none`,
  dockerIsRemote: (address) =>
    `the engine at ${address} is not on a unix socket of this machine: name one with --docker, or none`,
  faultsOff: 'No fault switch is on.',
  faultsSet: 'The fault switches are set.',
  faultsCleared: 'Every fault switch is off.',
  notJson: (text, why) => `${text} is neither JSON nor a file of JSON: ${why}`,
  columns: {
    agent: 'AGENT',
    attributes: 'ATTRIBUTES',
    address: 'ADDRESS',
    ports: 'PORTS',
    tasks: 'TASKS',
    fault: 'FAULT',
    about: 'OF',
    matched: 'SEEN',
    hits: 'HIT',
  },
};

const zh: CellMessages = {
  up: (directory, pid) => `cell 已运行，pid ${pid}；数据保存在 ${directory}。`,
  already: (directory, pid) => `${directory} 中的 cell 已在运行，pid ${pid}。`,
  foreground: (directory) => `cell 一直运行到按下 Ctrl-C；数据保存在 ${directory}。`,
  ended: (directory) => `任务已结束。可再次启动，或删除：slipway cell down --state ${directory}`,
  keptFor: (directory) => `${directory} 中的 cell 已结束；再次启动应用：slipway cell up --state ${directory}`,
  down: (directory) => `${directory} 中的 cell 及其全部内容已删除。`,
  cleared: (directory) => `${directory} 中的 cell 未在运行；其遗留内容已删除。`,
  none: (directory) => `${directory} 中没有 cell。`,
  dead: (directory) =>
    `${directory} 中的 cell 未在运行。可再次启动以接管其任务，或删除：slipway cell down --state ${directory}`,
  otherOptions: (message) => `${message}：请先结束它（slipway cell down），或用 --state 指定其他目录`,
  taken: (what, port, flag) => `${what} 的端口 ${port} 已被占用：请用 ${flag} 指定其他端口，0 表示任意`,
  noEngine: '没有 Docker 引擎响应，Docker 任务将失败；命令任务可运行。用 --docker 指定引擎。',
  noEngineAt: (path) => `${path} 没有 Docker 引擎响应：请用 --docker 指定其套接字，或 none`,
  dockerIsRemote: (address) => `${address} 的引擎不在本机的 unix 套接字上：请用 --docker 指定，或 none`,
  faultsOff: '没有打开的故障开关。',
  faultsSet: '故障开关已设置。',
  faultsCleared: '所有故障开关已关闭。',
  notJson: (text, why) => `${text} 既不是 JSON 也不是 JSON 文件：${why}`,
  columns: {
    agent: '代理',
    attributes: '属性',
    address: '地址',
    ports: '端口',
    tasks: '任务',
    fault: '故障',
    about: '对象',
    matched: '匹配',
    hits: '命中',
  },
};

export const CELL_MESSAGES: Readonly<Record<Language, CellMessages>> = { en, zh };
