/** Which Mesos the cell speaks like: every answer that names a version is that of the last release, 1.11.0. */
export const VERSION = {
  version: '1.11.0',
  build_date: '2020-11-24 15:38:37',
  build_time: 1606232317,
  build_user: 'slipway-cell',
  git_sha: '04bc7ee1984d86fbb0bd782ccc69ce44c13ae4b9',
  git_tag: '1.11.0',
} as const;

/** What our agents can do, of what an agent of 1.11 says it can. */
export const AGENT_CAPABILITIES = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'AGENT_DRAINING',
] as const;

/** `QUOTA_V2` is unknown to the v1 API, which therefore shows an empty object. */
export const MASTER_CAPABILITIES = ['AGENT_UPDATE', 'AGENT_DRAINING', 'QUOTA_V2'] as const;
