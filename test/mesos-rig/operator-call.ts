/** An answer of the operator API. */
export interface OperatorAnswer {
  readonly status: number;
  /** Parsed when it is JSON. */
  readonly body: unknown;
}

/** Makes one operator call, as `curl` would. */
export async function operatorCall(masterUrl: string, call: object): Promise<OperatorAnswer> {
  return answerOf(
    await fetch(`${masterUrl}/api/v1`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(call),
    }),
  );
}

async function answerOf(response: Response): Promise<OperatorAnswer> {
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}
