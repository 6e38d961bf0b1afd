import { notFound } from '../http-error.ts';
import type { Profile } from '../profile.ts';
import type { Route } from './exchange.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** What a Marathon has and the cell has not, so that who asks for it reads why instead of guessing. */
export function absentRoutes({ name }: Profile): readonly Route[] {
  return [
    absent(/^\/v2\/pods(\/.*)?$/, 'This cell has no pods. Run the containers as apps.'),
    absent(/^\/logging$/, 'This cell has no loggers to show or to set.'),
    // Gone from 1.8 on.
    ...(name === '1.7' ? [absent(/^\/v2\/schemas(\/.*)?$/, 'This cell does not publish JSON schemas.')] : []),
  ];
}

function absent(path: RegExp, message: string): Route {
  const refuse = () => {
    throw notFound(message);
  };
  return { path, handlers: Object.fromEntries(METHODS.map((method) => [method, refuse])) };
}
