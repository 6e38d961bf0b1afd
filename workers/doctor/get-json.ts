import type { z } from 'zod';

/** A GET whose answer must be 200 and of this form; the error says what came instead. */
export async function getJson<Schema extends z.ZodType>(
  url: URL,
  schema: Schema,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<z.output<Schema>> {
  const response = await fetch(url, { signal, headers: { accept: 'application/json', ...headers } });
  const text = await response.text();
  if (response.status !== 200)
    throw new Error(`${url.pathname}: status ${response.status}: ${text.trim().slice(0, 200)}`);
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) throw new Error(`${url.pathname}: unexpected answer: ${text.trim().slice(0, 200)}`);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON at all: the schema refuses it, with the text in the error.
    return undefined;
  }
}
