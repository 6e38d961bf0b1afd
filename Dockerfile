# One image for every process of Slipway, and two that build on it or beside it:
#   docker build --target slipway -t slipway:0.1.0 .
#   docker build --target balancer -t slipway-balancer:0.1.0 .
#   docker build --target mesos-agent -t slipway-mesos-agent:0.1.0 .
# Node runs the TypeScript sources as they are: there is no build step.

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /opt/slipway
COPY package.json package-lock.json .npmrc ./
# No install script is needed in production: native parts come as prebuilt packages. Temporal's core carries one build
# for each platform; the others are 110 MB.
RUN npm ci --omit=dev --ignore-scripts \
    && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
       ! -name "$(node -p 'process.arch === "x64" ? "x86_64" : "aarch64"')-unknown-linux-gnu" -exec rm -r {} +

FROM node:24.21.0-bookworm-slim AS slipway
# git reads manifests and checks out sources.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/*
# The registry's own program, for its garbage collection by the node worker; statically linked.
COPY --from=registry:2.8.3 /bin/registry /usr/local/bin/registry
WORKDIR /opt/slipway
COPY --from=dependencies /opt/slipway/node_modules ./node_modules
COPY package.json slipway.yaml slipway.config.example.yaml LICENSE ./
COPY domain ./domain
COPY activities ./activities
COPY workflows ./workflows
COPY workers ./workers
COPY api ./api
COPY cli ./cli
COPY bin ./bin
COPY deploy/registry ./deploy/registry
# The command line, and where the orchestrator keeps its mirrors of the services' repositories.
RUN ln -s /opt/slipway/bin/slipway.ts /usr/local/bin/slipway \
    && install --directory --owner=node --group=node /var/cache/slipway
ENV NODE_ENV=production
USER node

# HAProxy, and beside it what renders and applies its configuration: both need the very same HAProxy.
FROM haproxy:2.8.10 AS balancer
COPY --from=hashicorp/consul-template:0.43.0 /bin/consul-template /usr/local/bin/consul-template
COPY --from=slipway /usr/local/bin/node /usr/local/bin/node
COPY --from=slipway /opt/slipway /opt/slipway
COPY deploy/balancer /opt/slipway/deploy/balancer
WORKDIR /opt/slipway
USER root
# What consul-template renders and where the sockets are, shared by the two containers.
RUN install --directory --owner=haproxy --group=haproxy /etc/slipway /run/slipway
USER haproxy

# A Mesos agent that can start Docker tasks: the published image has no docker command.
FROM mesosphere/mesos-slave:1.7.1 AS mesos-agent
COPY --from=docker:24.0.9-cli /usr/local/bin/docker /usr/local/bin/docker
COPY deploy/compose/run-builder /opt/slipway/run-builder
