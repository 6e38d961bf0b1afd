/**
 * Nobody fails for being stalled by a busy machine: balancers of tests wait for the answer to a health check. An instance
 * that is dead or says that it is ill is out as soon as ever.
 */
process.env['SLIPWAY_BALANCER_CHECK_TIMEOUT'] = '45s';
process.env['SLIPWAY_REGISTRY_CHECK_TIMEOUT'] = '45s';
