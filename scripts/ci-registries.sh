#!/bin/sh
# Starts two real registries for the workflows: one on port 5001 that holds small images under the names of
# registry.k8s.io, and an empty one on port 5002. They end with the machine, or with the processes this prints.
set -eu
cd "$(dirname "$0")/.."

make compile
sh scripts/test-peers.sh

folder=$(mktemp -d)
start() {
  cat >"$folder/$1.yml" <<CONFIGURATION
version: 0.1
log: { level: error }
storage:
  filesystem: { rootdirectory: $folder/$1 }
http: { addr: 127.0.0.1:$1 }
CONFIGURATION
  nohup docker-registry serve "$folder/$1.yml" >"$folder/$1.log" 2>&1 &
  echo "registry on 127.0.0.1:$1, process $!"
  # shellcheck disable=SC2034
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    curl --silent --fail --output /dev/null "http://127.0.0.1:$1/v2/" && return 0
    sleep 1
  done
  cat "$folder/$1.log" >&2
  exit 1
}
start 5001
start 5002

PATH=$PWD/node_modules/.bin:$PATH node build/scripts/fill-registry.js 127.0.0.1:5001
cat <<'TEXT'
Mirror from one to the other with
  ./synctl sync --source 127.0.0.1:5001 --push-to 127.0.0.1:5002 --push-ns mirror --image-set .github/ci/image_set.json
TEXT
