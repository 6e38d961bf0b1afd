# How consul-template runs beside HAProxy:
#
#   haproxy -W -S $SLIPWAY_BALANCER_DIR/master.sock -f /etc/slipway/haproxy.cfg
#   consul-template -config consul-template.hcl -consul-addr 127.0.0.1:8500 -template \
#     "haproxy.cfg.ctmpl:/etc/slipway/rendered.cfg:node workers/balancer-apply.ts /etc/slipway/rendered.cfg /etc/slipway/haproxy.cfg"
#
# both with the same SLIPWAY_BALANCER_DIR and SLIPWAY_BALANCER_RUNTIME (see haproxy.cfg.ctmpl). Any configuration does for
# HAProxy's start, or none: then start it once the first render has made its file. That render waits until an
# environment is known in Consul.
#
# When a render can't be applied, consul-template ends with an error and HAProxy goes on with what it has: start
# consul-template again after a pause (systemd: Restart=always, RestartSec=1; compose: restart: always). It then renders
# and applies again; the refused text is kept as rendered.cfg.refused.

consul {
  # Never give up: an agent that is away for long must not freeze the balancer for good.
  retry {
    enabled     = true
    attempts    = 0
    backoff     = "250ms"
    max_backoff = "1s"
  }
}

# Instances come in bunches: one reload for all that come within a tenth of a second.
wait {
  min = "100ms"
  max = "500ms"
}

# A Consul that comes back with less (from a backup, or empty) counts from a lower index: a question that waits for the
# old one learns of it only when its wait is over.
block_query_wait = "10s"

log_level = "warn"
