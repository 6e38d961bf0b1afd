/**
 * How long a connection may be idle, ms. Node's own 5 s are so short that a client that was stalled sends on a connection
 * that is just being closed.
 */
export const IDLE_CONNECTION_MS = 30_000;
