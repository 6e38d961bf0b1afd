/** One HTTP request to a simulated system. */
export interface Call {
  readonly method: string;
  /** Below the system's own address, such as `/v2/apps/prod/web/r1`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Its answer. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
});

/** Something that Slipway changed outside. */
export interface Effect {
  readonly system: 'marathon' | 'consul' | 'registry' | 'balancer';
  /** What was changed, such as an app's id or a key. */
  readonly subject: string;
  /** To what, in words; absolute. */
  readonly change: string;
}

/** Told of every effect, once it is made. */
export type OnEffect = (effect: Effect) => void;
