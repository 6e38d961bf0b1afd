#!/bin/sh
# Creates the namespace, in which histories of releases that are over stay for 90 days, and Slipway's search attributes.
# Changes nothing where they are.
set -eu
temporal operator namespace describe --namespace default >/dev/null 2>&1 ||
  temporal operator namespace create --namespace default --retention 2160h
# The frontend knows a new namespace only after a while.
deadline=$(($(date +%s) + 60))
until known=$(temporal operator search-attribute list --namespace default 2>&1); do
  if [ "$(date +%s)" -gt "$deadline" ]; then
    echo "waited 60 s for the namespace that was created: $known" >&2
    exit 1
  fi
  sleep 1
done
for name in SlipwayService SlipwayEnvironment SlipwayStage SlipwayRevision SlipwayOutcome; do
  echo "$known" | grep -qw "$name" ||
    temporal operator search-attribute create --namespace default --name "$name" --type Keyword
done
