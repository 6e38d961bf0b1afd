/** What the Kubernetes HPA needs to know for a metric that is a total of the whole service with a target an instance. */
export interface AverageLoad {
  /** Load of the whole service, such as requests a second. */
  readonly total: number;
  /** Load that one instance should carry. Above 0. */
  readonly target: number;
  /** Instances wanted so far. */
  readonly current: number;
}

/** Distance of the ratio from 1 within which the count stays. */
export const TOLERANCE = 0.1;

/**
 * Instances that a load asks for, by the formula of the Kubernetes HPA v2 for an average value of a whole-service
 * metric: with r = total / (target x current), hold while |1 - r| <= 0.1, else ceil(total / target). From zero
 * instances there is no dead band. Neither bounds nor time are applied here; see `stabilise.ts`.
 *
 * Source: kubernetes 1.31.4, pkg/controller/podautoscaler/replica_calculator.go, `GetExternalPerPodMetricReplicas`.
 */
export function instancesForLoad({ total, target, current }: AverageLoad): number {
  const ratio = total / (target * current);
  return current > 0 && Math.abs(1 - ratio) <= TOLERANCE ? current : Math.ceil(total / target);
}
