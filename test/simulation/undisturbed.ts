import { CALM } from './faults.ts';
import type { ReleaseScript } from './script.ts';

const EVER = 1e9;

/** The same release as nothing keeps from its end, and to which nobody says anything: for what is to come to something else. */
export const undisturbed = (script: ReleaseScript): ReleaseScript => ({
  ...script,
  ...{ buildFails: 'never', testsFail: 'never', requestedBy: 'ann', approval: 'given', expires: '30m' },
  ...{ behaviour: { errors: 0.001, sick: 0 }, figuresFor: EVER, figuresLate: 0, imageGone: 0, clicks: [] },
  approvers: Math.max(1, script.approvers),
  // What goes wrong by the number of a call would depend on which of two calls first.
  weather: script.weather.share > 0.05 ? CALM : { ...script.weather, outages: [] },
});
