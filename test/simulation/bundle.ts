import { join } from 'node:path';
import {
  type BundleOptions,
  bundleWorkflowCode,
  DefaultLogger,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';

const ROOT = join(import.meta.dirname, '../..');

type Configure = NonNullable<BundleOptions['webpackConfigHook']>;

/**
 * The workflows as they are, or with other sources than are on the disk.
 *
 * @param sources text by path inside the repository
 */
export function simulationBundle(
  sources: ReadonlyMap<string, string> = new Map(),
): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: join(ROOT, 'workflows/index.ts'),
    workflowInterceptorModules: [join(ROOT, 'test/simulation/queue-interceptors.ts')],
    logger: new DefaultLogger('WARN'),
    webpackConfigHook: reading(sources),
  });
}

/** Has webpack read these sources in place of the files. */
function reading(sources: ReadonlyMap<string, string>): Configure {
  return (config) => ({
    ...config,
    plugins: [
      ...(config.plugins ?? []),
      {
        apply: (compiler: Compiler) =>
          compiler.hooks.beforeRun.tap('other sources', () => {
            const files = compiler.inputFileSystem;
            const readFile: unknown = files && Reflect.get(files, 'readFile');
            if (!files || typeof readFile !== 'function') throw new Error('webpack has no files to read');
            Reflect.set(files, 'readFile', (path: string, ...rest: unknown[]) => {
              const source = sources.get(path.slice(ROOT.length + 1));
              const done = rest.at(-1);
              if (source === undefined || typeof done !== 'function') readFile.call(files, path, ...rest);
              else done(null, Buffer.from(source));
            });
          }),
      },
    ],
  });
}

/** What of webpack's compiler is used here. */
interface Compiler {
  readonly hooks: { readonly beforeRun: { tap(name: string, act: () => void): void } };
  readonly inputFileSystem: object | null;
}
