import { hostname } from 'node:os';
import type { ProfileName } from './profile.ts';
import { SERVICE_PORT_MAX, SERVICE_PORT_MIN } from './service-ports.ts';

/** What of the configuration is not what Marathon would take by default. */
export interface InfoConfigOptions {
  /** Decides which flags there are. */
  readonly profile: ProfileName;
  readonly host: string;
  readonly port: number;
  /** Address of the Mesos master. */
  readonly master: string;
  readonly user: string;
  readonly minReviveOffersIntervalMs: number;
  readonly declineOfferMs: number;
  readonly scaleAppsIntervalMs: number;
}

/** The configuration as `/v2/info` tells it. Its keys are those of the release; some clients refuse any other. */
export function infoConfig(options: InfoConfigOptions): Readonly<Record<string, unknown>> {
  const master = new URL(options.master);
  const old = options.profile === '1.7';
  return {
    marathon_config: {
      access_control_allow_origin: null,
      checkpoint: true,
      decline_offer_duration: options.declineOfferMs,
      default_network_name: null,
      env_vars_prefix: null,
      executor: '//cmd',
      failover_timeout: 604_800,
      features: [],
      framework_name: 'marathon',
      ha: false,
      hostname: options.host === '0.0.0.0' ? hostname() : options.host,
      launch_token: 100,
      launch_token_refresh_interval: 30_000,
      leader_proxy_connection_timeout_ms: 5_000,
      leader_proxy_read_timeout_ms: 10_000,
      local_port_max: SERVICE_PORT_MAX,
      local_port_min: SERVICE_PORT_MIN,
      master: master.host,
      max_instances_per_offer: 5,
      mesos_bridge_name: 'mesos-bridge',
      mesos_heartbeat_failure_threshold: 5,
      mesos_heartbeat_interval: 15_000,
      mesos_leader_ui_url: `${master.origin}/`,
      mesos_role: old ? null : '*',
      mesos_user: options.user,
      ...(old ? {} : { new_group_enforce_role: 'Off' }),
      min_revive_offers_interval: options.minReviveOffersIntervalMs,
      offer_matching_timeout: 3_000,
      on_elected_prepare_timeout: 180_000,
      reconciliation_initial_delay: 15_000,
      reconciliation_interval: 600_000,
      ...(old ? { revive_offers_for_new_apps: true, revive_offers_repetitions: 3 } : {}),
      scale_apps_initial_delay: 15_000,
      scale_apps_interval: options.scaleAppsIntervalMs,
      store_cache: true,
      task_launch_confirm_timeout: 300_000,
      task_launch_timeout: 300_000,
      task_lost_expunge_initial_delay: 300_000,
      task_lost_expunge_interval: 30_000,
      task_reservation_timeout: 20_000,
      webui_url: null,
      maintenance_mode: true,
    },
    zookeeper_config: {
      zk: 'zk://localhost:2181/marathon',
      zk_compression: true,
      zk_compression_threshold: 65_536,
      zk_connection_timeout: 10_000,
      zk_max_node_size: 1_024_000,
      zk_max_versions: 50,
      zk_session_timeout: 10_000,
      zk_timeout: 10_000,
    },
    http_config: { http_port: options.port, https_port: 8_443 },
  };
}
