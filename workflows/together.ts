import { CancellationScope } from '@temporalio/workflow';

/**
 * Does works side by side. When one fails the others are told to stop, and only when all have ended this fails with the
 * first failure: a way back must not begin beside what it undoes.
 */
export async function together(...works: readonly (() => Promise<unknown>)[]): Promise<void> {
  const scope = new CancellationScope();
  const failures: unknown[] = [];
  await scope.run(() =>
    Promise.all(
      works.map((work) =>
        work().catch((error: unknown) => {
          failures.push(error);
          scope.cancel();
        }),
      ),
    ),
  );
  if (failures.length > 0) throw failures[0];
}
