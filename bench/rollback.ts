/**
 * How soon everybody is served by the old version again, on the local platform with its own HAProxy, Consul, registry and
 * Docker, while clients come through the balancer. A rollback's time begins when a person's order is sent to the API, so
 * it holds the order's own way too; it ends when the engine has verified, in the balancer, that all traffic goes to the
 * revision that shall serve. What clients see of it is told beside: when the last request was sent that the version gone
 * away from has answered.
 *
 * Warm: in the bake, the old instances are there. Cold: after the end of the release, to the bundle before, whose image
 * the agents know; its instances must start first, and how long that took those very instances is taken off.
 */
import { quantile } from './cell/quantile.ts';
import { coldRound, type Round, warmRound } from './rollback/rounds.ts';
import { onStage } from './rollback/stage.ts';
import { atLeast, atMost, type Figure, observed } from './runner/figure.ts';

const WARM_ROUNDS = 32;
const COLD_ROUNDS = 10;
/** Fewest that say something. */
const WARM_BAR = 30;
const COLD_BAR = 10;
/** ms. */
const WARM_P50_BAR = 1_000;
const WARM_P99_BAR = 3_000;
const COLD_ON_TOP_BAR = 2_000;

export default async function rollback(): Promise<readonly Figure[]> {
  return onStage(async (stage) => {
    const warm: Round[] = [];
    for (let index = 1; index <= WARM_ROUNDS; index += 1) warm.push(told(await warmRound(stage, `warm-${index}`)));
    const cold: Round[] = [];
    for (let index = 1; index <= COLD_ROUNDS; index += 1) cold.push(told(await coldRound(stage, `cold-${index}`)));
    const { requests, failed, failures } = await stage.clients.end();
    for (const failure of failures) process.stdout.write(`${failure}\n`);
    const late = [...warm, ...cold].filter(({ toLastRequest, toTraffic }) => toLastRequest > toTraffic).length;
    return [
      atLeast('warm rollbacks', warm.length, '', WARM_BAR),
      atMost('warm: order to all traffic verified, p50', at(warm, 'toTraffic', 0.5), 'ms', WARM_P50_BAR),
      atMost('warm: order to all traffic verified, p99', at(warm, 'toTraffic', 0.99), 'ms', WARM_P99_BAR),
      observed('warm: decision of the engine to all traffic verified, p50', at(warm, 'decisionToTraffic', 0.5), 'ms'),
      observed('warm: order to the last request that went wrong, p50', at(warm, 'toLastRequest', 0.5), 'ms'),
      observed('warm: order to everything restored, p50', at(warm, 'toDone', 0.5), 'ms'),
      atLeast('cold rollbacks', cold.length, '', COLD_BAR),
      observed('cold: order to all traffic verified, p50', at(cold, 'toTraffic', 0.5), 'ms'),
      observed('cold: start of three instances, p50', at(cold, 'containerStart', 0.5), 'ms'),
      atMost('cold: what comes on top of the start, worst', Math.max(...cold.map(onTop)), 'ms', COLD_ON_TOP_BAR),
      observed('cold: what comes on top of the start, p50', quantile(cold.map(onTop), 0.5), 'ms'),
      atMost('rollbacks after which a request went wrong although traffic was verified', late, '', 0),
      observed('requests through the balancer', requests, ''),
      atMost('requests without an answer of the service', failed, '', 0),
    ];
  });
}

function at(rounds: readonly Round[], figure: keyof Round, share: number): number {
  return quantile(
    rounds.map((round) => round[figure]),
    share,
  );
}

const onTop = ({ toTraffic, containerStart }: Round) => toTraffic - containerStart;

function told(round: Round): Round {
  process.stdout.write(`${JSON.stringify(round)}\n`);
  return round;
}
