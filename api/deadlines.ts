/** How long the API waits for Temporal, in milliseconds. */

/** For what Temporal knows by itself. */
export const SERVER_MS = 10_000;

/**
 * For what a workflow answers or takes. A worker that dies may have the workflow's next task: Temporal takes that for
 * lost after 10 s, its default, and until then no other worker is asked anything about this workflow. Another one first
 * replays it.
 */
export const WORKFLOW_MS = 25_000;
