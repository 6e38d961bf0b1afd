/** Which type an answer has to have, by its call and its status. */

export interface Call {
  readonly method: string;
  /** With or without its query. */
  readonly path: string;
  readonly status: number;
}

type TypeName = string | ((body: unknown) => string);

interface Route {
  readonly path: RegExp;
  readonly types: Readonly<Record<string, TypeName>>;
}

const DEPLOYMENT = 'deploymentResult.DeploymentResult';
const CHANGES = { POST: DEPLOYMENT, PUT: DEPLOYMENT, PATCH: DEPLOYMENT, DELETE: DEPLOYMENT };
const has = (body: unknown, key: string) => typeof body === 'object' && body !== null && key in body;
/** What kills without scaling lists tasks, what scales starts a deployment. */
const killed = (type: string) => (body: unknown) => (has(body, 'deploymentId') ? DEPLOYMENT : type);

/** The first that fits; `GET` also stands for answers to bodies that only look. */
const ROUTES: readonly Route[] = [
  { path: /^\/v2\/apps\/?$/, types: { ...CHANGES, GET: 'app.AppList', POST: 'app.AppInfo' } },
  { path: /^\/v2\/apps\/.*\/restart$/, types: { POST: DEPLOYMENT } },
  { path: /^\/v2\/apps\/.*\/versions$/, types: { GET: 'app.VersionList' } },
  { path: /^\/v2\/apps\/.*\/versions\/[^/]+$/, types: { GET: 'app.App' } },
  { path: /^\/v2\/apps\/.*\/tasks$/, types: { GET: 'task.TaskList', DELETE: killed('task.TaskList') } },
  { path: /^\/v2\/apps\/.*\/tasks\/[^/]+$/, types: { DELETE: killed('task.TaskSingle') } },
  { path: /^\/v2\/apps\/(.*\/)?\*$/, types: { GET: 'answers.AppsBelow' } },
  { path: /^\/v2\/apps\/.+$/, types: { ...CHANGES, GET: 'answers.AppAnswer' } },
  { path: /^\/v2\/groups(\/.*)?\/apps$/, types: { GET: 'answers.GroupApps' } },
  { path: /^\/v2\/groups(\/.*)?\/versions$/, types: { GET: 'answers.GroupVersions' } },
  {
    path: /^\/v2\/groups(\/.*)?$/,
    types: {
      ...CHANGES,
      GET: 'group.GroupInfo',
      PUT: (body) => (has(body, 'steps') ? 'deploymentSteps.DeploymentSteps' : DEPLOYMENT),
    },
  },
  { path: /^\/v2\/deployments\/?$/, types: { GET: 'deploymentEventsInfo.DeploymentStepInfo[]' } },
  { path: /^\/v2\/deployments\/[^/]+$/, types: { DELETE: DEPLOYMENT } },
  { path: /^\/v2\/tasks\/?$/, types: { GET: 'task.TaskList' } },
  { path: /^\/v2\/tasks\/delete$/, types: { POST: killed('task.TaskList') } },
  { path: /^\/v2\/queue\/?$/, types: { GET: 'answers.AppQueue' } },
  { path: /^\/v2\/info$/, types: { GET: 'info.MarathonInfo' } },
  { path: /^\/v2\/leader$/, types: { GET: 'info.LeaderInfo', DELETE: 'stringTypes.Message' } },
  { path: /^\/v2\/plugins$/, types: { GET: 'answers.Plugins' } },
  { path: /^\/ping$/, types: { GET: 'string' } },
  { path: /^\/metrics$/, types: { GET: 'newMetrics.NewMetrics' } },
];

/** The type of a JSON answer; undefined where the contract has no such route. */
export function answerType({ method, path, status }: Call, body: unknown): string | undefined {
  if (status >= 400) return 'error.Error';
  // Jersey takes `;x=y` out of a path.
  const bare = decodeURIComponent(path.split('?', 1)[0] ?? '').replaceAll(/;[^/]*/g, '');
  const type = ROUTES.find((route) => route.path.test(bare))?.types[method];
  return typeof type === 'function' ? type(body) : type;
}
