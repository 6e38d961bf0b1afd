/** Jest's workers run side by side: each takes its ports from a range of its own. */
const worker = Number(process.env['JEST_WORKER_ID'] ?? 1);
const LOWEST = 12_000;
const RANGE = 9_000;
const WORKERS = 2;

const lowest = LOWEST + ((worker - 1) % WORKERS) * RANGE;
process.env['SLIPWAY_PORTS'] = `${lowest}-${lowest + RANGE - 1}`;
