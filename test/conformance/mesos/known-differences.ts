/**
 * Where the embedded Mesos answers otherwise than the records of a real one, each with its reason. A test fails when an
 * entry is needed no more.
 */
export interface KnownDifference {
  /** The record that the path is in. */
  readonly record: RegExp;
  readonly path: RegExp;
  readonly reason: string;
}

const ANSWERS = /^(operator-calls|state-endpoints)$/;

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    record: /^(operator-calls|state-endpoints|session)$/,
    path: /\bbuild_user$/,
    reason: 'The embedded one was not built by who built the recorded one.',
  },
  {
    record: ANSWERS,
    path: /\bflags\.(allocator_\w+|authentication_v0_timeout|authenticators|authorizers|http_authenticators)$/,
    reason: 'Flags of parts that the embedded master does not have: modules and who may do what.',
  },
  {
    record: ANSWERS,
    path: /\bflags\.(hostname_lookup|initialize_driver_logging|log\w+|memory_profiling)$/,
    reason: 'Flags of the program around a real master: its log and its memory.',
  },
  {
    record: ANSWERS,
    path: /\bflags\.(registry_(fetch|gc|max|store)\w+|recovery_agent_removal_limit|webui_dir|work_dir|zk_\w+)$/,
    reason: 'Flags of a replicated registry, of web pages and of ZooKeeper; the embedded one has a directory.',
  },
  {
    record: ANSWERS,
    path: /\bflags\.(filter_gpu_resources|offer_constraints_\w+|publish_\w+)$/,
    reason: 'Flags of what the embedded master does not do: GPUs, offer constraints, figures by framework.',
  },
  {
    record: /^(operator-calls|state-endpoints|session|operator-stream)$/,
    path: /(^|(agents|slaves)\[\])\.capabilities$/,
    reason: 'Agents say only what they can do: no resource providers, volumes, operation feedback or task limits.',
  },
  {
    record: /^(operator-calls|state-endpoints|session)$/,
    path: /(leader_info|master_info(\.address)?|^)\.(master_)?hostname$/,
    reason: 'The embedded master goes by its address, which needs no resolver.',
  },
  {
    record: /^(operator-calls|mark-agent-gone|session|operator-stream)$/,
    path: /\.executor_id$/,
    reason: 'Updates of command tasks name the executor, as those of a real agent; the recorded stand-in left it out.',
  },
  {
    record: /^(operator-calls|mark-agent-gone|session|operator-stream)$/,
    path: /\.container_status\.executor_pid$/,
    reason: 'Tasks of the embedded one have no process of an executor, so none before they run.',
  },
  { record: /^state-endpoints$/, path: /^\.frameworks\[\]\.pid$/, reason: 'The recorded holder was an old driver.' },
  { record: /^state-endpoints$/, path: /^\.flags$/, reason: "An agent's flags are left out of the record." },
  {
    record: /^state-endpoints$/,
    path: /\.executors\[\]\.directory$/,
    reason: 'Sandboxes are where each agent keeps them.',
  },
  {
    record: /^state-endpoints$/,
    path: /(executors\[\]\.resources|unreserved_resources_allocated)\.(cpus|mem)$/,
    reason: 'A real agent adds 0.1 cpus and 32 MiB for its executor; here a task runs in none.',
  },
  { record: /^state-endpoints$/, path: /^\[\]\.statistics$/, reason: 'The embedded agents do not measure containers.' },
];
