import { absentFeatures } from './absent-features.ts';
import { isHostNetworked, isResident } from './app.ts';
import { constraintProblem } from './constraints.ts';
import { OriginalFault } from './http-error.ts';
import type { Problem } from './json-shape.ts';
import type { AppConfig } from './model.ts';
import { isPathId, lastSegment, SEGMENT_PATTERN } from './path-id.ts';
import type { Profile } from './profile.ts';

/** The rules an app must keep, with the words of Marathon 1.7 (`recorded-1.7.236/validation.json`). */

/** What no URI has: characters that must be written otherwise. */
const NOT_IN_URIS = /[\s"<>\\^`{|}]/;
/** How one begins: with a scheme, or without a colon. */
const START_OF_URI = /^(?:[a-z][a-z0-9+.-]*:|[^:/?#]*(?:[/?#]|$))/i;

/** Everything wrong with a complete app; empty when it may be stored. */
export function appProblems(app: AppConfig, profile: Profile): readonly Problem[] {
  const problems = [
    ...idProblems(app.id, profile),
    ...commandProblems(app),
    ...containerProblems(app),
    ...fetchProblems(app),
    ...dependencyProblems(app),
    ...(profile.tellsRoles ? roleProblems(app) : []),
    ...constraintProblems(app),
    ...networkProblems(app),
    ...portProblems(app),
    ...healthCheckProblems(app),
    ...readinessProblems(app),
    ...strategyProblems(app),
    ...featureProblems(app),
  ];
  return problems.length > 0 ? problems : absentFeatures(app);
}

function idProblems(id: string, { reservedEndings }: Profile): Problem[] {
  if (id === '/') {
    return [
      { path: '/id', error: 'Path must contain at least one path element' },
      { path: '/', error: 'must not be root' },
    ];
  }
  if (!reservedEndings.includes(lastSegment(id))) return [];
  const list = reservedEndings.join(', ');
  return [{ path: '/id', error: `must not end with any of the following reserved keywords: ${list}` }];
}

function commandProblems(app: AppConfig): Problem[] {
  const both = app.cmd !== undefined && app.args.length > 0;
  const none = app.cmd === undefined && app.args.length === 0 && !app.container?.docker;
  if (both || none) {
    const error = "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.";
    return [{ path: '/', error }];
  }
  // Marathon's rule is `length > 1`, so it refuses one letter too.
  if (app.cmd !== undefined && app.cmd.length < 2) return [{ path: '/', error: 'must not be an empty string' }];
  return [];
}

function containerProblems({ container }: AppConfig): Problem[] {
  const problems = (container?.volumes ?? []).flatMap((volume, index) =>
    volume.persistent && volume.containerPath.includes('/')
      ? [{ path: `/container/volumes(${index})/containerPath`, error: 'value must not contain "/"' }]
      : [],
  );
  const imageless = container?.type === 'DOCKER' && !container.docker;
  return imageless ? [{ path: '/container/docker', error: 'not defined' }, ...problems] : problems;
}

function fetchProblems(app: AppConfig): Problem[] {
  return app.fetch.flatMap(({ uri }, index) =>
    isUri(uri) ? [] : [{ path: `/fetch(${index})/uri`, error: 'URI has invalid syntax.' }],
  );
}

/** Roughly what Java takes for one. */
function isUri(text: string): boolean {
  return START_OF_URI.test(text) && !NOT_IN_URIS.test(text);
}

function dependencyProblems(app: AppConfig): Problem[] {
  return app.dependencies.flatMap((id, index) => {
    if (isPathId(id)) return [];
    return [{ path: `/dependencies(${index})`, error: `must fully match regular expression '${SEGMENT_PATTERN}'` }];
  });
}

/** This Marathon runs in the role `*` alone. */
function roleProblems(app: AppConfig): Problem[] {
  const problems: Problem[] = [];
  if (app.role !== undefined && app.role !== '*') {
    problems.push({ path: '/role', error: `got ${app.role}, expected one of: [*]` });
  }
  if (app.acceptedResourceRoles?.some((role) => role !== '*')) {
    problems.push({ path: '/acceptedResourceRoles', error: 'acceptedResourceRoles can only contain *' });
  }
  return problems;
}

function constraintProblems(app: AppConfig): Problem[] {
  return app.constraints.flatMap((constraint) => {
    const problem = constraintProblem(constraint);
    return problem === undefined ? [] : [{ path: '/constraints', error: problem }];
  });
}

function networkProblems(app: AppConfig): Problem[] {
  const { networks } = app;
  const problems: Problem[] = [];
  const hosts = networks.filter((network) => network.mode === 'host');
  const bridges = networks.filter((network) => network.mode === 'container/bridge');
  if (hosts.length + bridges.length > 0 && networks.length > 1) {
    const error = 'May specify a single host network, single bridge network, or else 1-to-n container networks';
    problems.push({ path: '/networks', error });
  }
  if (hosts.some((network) => network.name !== undefined || network.labels !== undefined)) {
    problems.push({ path: '/networks', error: 'Host networks may not have names or labels' });
  }
  const named = networks.filter((network) => network.mode === 'container');
  if (named.some((network) => network.name === undefined)) {
    const error = 'Network name must be specified when container network is selected.';
    problems.push({ path: '/networks', error });
  }
  if (named.length > 1 && app.container?.type === 'DOCKER') {
    const error = 'may only specify a single container network when using the Docker container engine';
    problems.push({ path: '/', error });
  }
  return problems;
}

function portProblems(app: AppConfig): Problem[] {
  const ports = app.portDefinitions ?? [];
  const problems: Problem[] = [];
  if (hasRepeats(ports.flatMap((port) => port.name ?? []))) {
    problems.push({ path: '/portDefinitions', error: 'Port names must be unique.' });
  }
  if (hasRepeats(ports.map((port) => port.port).filter((port) => port !== 0))) {
    problems.push({ path: '/portDefinitions', error: 'Ports must be unique.' });
  }
  if (hasRepeats((app.container?.portMappings ?? []).flatMap((mapping) => mapping.name ?? []))) {
    problems.push({ path: '/container/portMappings', error: 'Port names must be unique.' });
  }
  return problems;
}

function healthCheckProblems(app: AppConfig): Problem[] {
  const ports = portNames(app).length;
  return app.healthChecks.flatMap((check, index) => {
    if (check.protocol === 'COMMAND' && !check.command) {
      throw new OriginalFault('illegal protocol COMMAND for non-command health check');
    }
    if (check.portIndex === undefined || check.portIndex < ports || check.port !== undefined) return [];
    const error = 'Health check port indices must address an element of the ports array or container port mappings.';
    return [{ path: `/healthChecks(${index})`, error }];
  });
}

function readinessProblems(app: AppConfig): Problem[] {
  const names = portNames(app);
  const problems: Problem[] = [];
  if (app.readinessChecks.length > 1) {
    problems.push({ path: '/readinessChecks/size', error: `got ${app.readinessChecks.length}, expected 1 or less` });
  }
  for (const [index, check] of app.readinessChecks.entries()) {
    const path = `/readinessChecks(${index})`;
    if (check.timeoutSeconds >= check.intervalSeconds) {
      const error = `got ${check.timeoutSeconds}, expected less than ${check.intervalSeconds}`;
      problems.push({ path: `${path}/timeoutSeconds`, error });
    }
    if (!names.includes(check.portName)) {
      problems.push({ path: `${path}/portName`, error: `No port definition reference for portName ${check.portName}` });
    }
  }
  return problems;
}

function strategyProblems(app: AppConfig): Problem[] {
  const problems: Problem[] = [];
  if (app.labels['MARATHON_SINGLE_INSTANCE_APP'] === 'true') {
    if (app.instances > 1) problems.push({ path: '/', error: 'Single instance app may only have one instance' });
    const { minimumHealthCapacity, maximumOverCapacity } = app.upgradeStrategy;
    if (app.instances <= 1 && (minimumHealthCapacity !== 0 || maximumOverCapacity !== 0)) {
      problems.push({
        path: '/upgradeStrategy',
        error:
          'Single instance app must have an upgrade strategy with minimumHealthCapacity and maximumOverCapacity of 0',
      });
    }
  }
  if (isResident(app.container) && app.upgradeStrategy.maximumOverCapacity !== 0) {
    const got = app.upgradeStrategy.maximumOverCapacity;
    const error = `got ${Number.isInteger(got) ? got.toFixed(1) : got}, expected 0.0`;
    problems.push({ path: '/upgradeStrategy/maximumOverCapacity', error });
  }
  const unreachable = app.unreachableStrategy;
  if (unreachable !== 'disabled' && unreachable.inactiveAfterSeconds > unreachable.expungeAfterSeconds) {
    const { inactiveAfterSeconds: inactive, expungeAfterSeconds: expunge } = unreachable;
    const error = `inactiveAfterSeconds (${inactive}) must be less or equal to expungeAfterSeconds, which is ${expunge}`;
    problems.push({ path: '/unreachableStrategy/inactiveAfterSeconds', error });
  }
  return problems;
}

function featureProblems(app: AppConfig): Problem[] {
  const problems: Problem[] = [];
  if (Object.keys(app.secrets).length > 0) {
    problems.push({
      path: '/secrets',
      error: 'Feature secrets is not enabled. Enable with --enable_features secrets)',
    });
  }
  if (Object.values(app.env).some((value) => typeof value !== 'string')) {
    const error = 'use of secret-references in the environment requires the secrets feature to be enabled';
    problems.push({ path: '/env', error });
  }
  if (app.gpus > 0) {
    const error = 'Feature gpu_resources is not enabled. Enable with --enable_features gpu_resources)';
    problems.push({ path: '/', error });
  }
  if (app.acceptedResourceRoles?.length === 0) {
    problems.push({ path: '/acceptedResourceRoles', error: 'must not be empty' });
  }
  return problems;
}

/** Names of the app's ports in order; those without a name are empty. */
function portNames(app: AppConfig): readonly string[] {
  const ports = isHostNetworked(app) ? app.portDefinitions : app.container?.portMappings;
  return (ports ?? []).map((port) => port.name ?? '');
}

function hasRepeats(values: readonly unknown[]): boolean {
  return new Set(values).size < values.length;
}
