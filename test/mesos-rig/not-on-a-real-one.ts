/**
 * Tests that the real Mesos of this machine can't be put to, by name, each with its reason. Its master and agents are the
 * original; its executor is `executor.py`, ours.
 */
export const NOT_ON_A_REAL_ONE: Readonly<Record<string, string>> = {
  'starts, scales to the very number and goes, with MESOS_HTTP checks': 'its executor does not look after health',
  'is healthy by a command inside its container, or by a connection': 'its executor does not look after health',
  'is replaced where its MESOS_HTTP check turns red': 'its executor does not look after health',
};
