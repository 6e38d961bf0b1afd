/** How long one answer may take, in milliseconds; seconds on a machine that starts everything at once. */
const ANSWER_WITHIN_MS = 15_000;

/**
 * Asks a URL once and returns the body. For conditions of readiness.
 * @param accepted statuses beside the successful ones that are a good answer too.
 * @throws {Error} that names the URL and the status, or why there was no answer.
 */
export async function answerOf(url: string, init: RequestInit = {}, accepted: readonly number[] = []): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(`${url} does not answer: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const body = await response.text();
  if (!response.ok && !accepted.includes(response.status)) {
    throw new Error(`${url} answers ${response.status}: ${body.slice(0, 200)}`);
  }
  return body;
}
