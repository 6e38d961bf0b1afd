/** Clients of others, unmodified and in exact versions, that the client suites let speak to the embedded systems. */
/** How to run a client that is here. */
export interface ClientCommand {
  readonly file: string;
  /** Added to the environment, so that the program finds its libraries. */
  readonly env: Readonly<Record<string, string>>;
}

/** A client, or a program of ours around a client library, made once and kept in the toolbox. */
export interface Client {
  readonly name: string;
  /** The command of a client that is here already. */
  locate(): Promise<ClientCommand | undefined>;
  /** What keeps this machine from having it, apart from `SLIPWAY_INSTALL`. */
  obstacle(): Promise<string | undefined>;
  /** Fetches and makes it, in minutes. */
  install(): Promise<void>;
}

/** A client that can't be had on this machine; the message says what it lacks. */
export class ClientUnavailable extends Error {
  override readonly name = 'ClientUnavailable';
}

/**
 * The command of a client, which is installed unless it is here.
 * @throws {ClientUnavailable} where it is not and can't be; {CommandError} when the installation fails
 */
export async function ensureClient(client: Client, say: (line: string) => void): Promise<ClientCommand> {
  const located = await client.locate();
  if (located !== undefined) return located;
  const obstacle = process.env['SLIPWAY_INSTALL'] === 'never' ? 'SLIPWAY_INSTALL=never' : await client.obstacle();
  if (obstacle !== undefined) throw new ClientUnavailable(`${client.name} is not here: ${obstacle}`);
  say(`installing the client ${client.name}`);
  const started = Date.now();
  await client.install();
  const installed = await client.locate();
  if (installed === undefined) throw new Error(`${client.name} was installed and is not there`);
  say(`installed the client ${client.name} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return installed;
}
