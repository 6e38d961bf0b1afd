import type { Problem } from './json-shape.ts';

/** An answer that is not 2xx, thrown from wherever it is known. */
export class HttpError extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, body: { readonly message: string } & Readonly<Record<string, unknown>>) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

/**
 * What the original answers with 500, by a fault of its own. The default profile says the same with the status that was
 * meant; `Profile.faultStatus` has it.
 */
export class OriginalFault extends HttpError {
  constructor(message: string) {
    super(422, { message });
  }
}

/**
 * 404 of a change, noticed while it was planned. From 1.9 on other answers that something is not there carry an empty
 * list of details; these don't.
 */
export class NothingToChange extends HttpError {
  constructor(message: string) {
    super(404, { message });
  }
}

/** 422 for JSON of the wrong form: types, ranges, patterns. */
export function invalidJson(problems: readonly Problem[]): HttpError {
  return new HttpError(422, { message: 'Invalid JSON', details: byPath(problems) });
}

/** 422 for JSON that breaks a rule. Marathon never mixes it with the other 422. */
export function invalidObject(problems: readonly Problem[]): HttpError {
  return new HttpError(422, { message: 'Object is not valid', details: byPath(problems) });
}

export function notFound(message: string): HttpError {
  return new HttpError(404, { message });
}

export const appNotFound = (id: string): HttpError => notFound(`App '${id}' does not exist`);
export const groupNotFound = (id: string): HttpError => notFound(`Group '${id}' does not exist`);
export const taskNotFound = (id: string): HttpError => notFound(`Task '${id}' does not exist`);

function byPath(problems: readonly Problem[]): { path: string; errors: string[] }[] {
  const details = new Map<string, string[]>();
  for (const { path, error } of problems) details.set(path, [...(details.get(path) ?? []), error]);
  return [...details].map(([path, errors]) => ({ path, errors }));
}
