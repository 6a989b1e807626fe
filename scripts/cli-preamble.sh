#!/bin/sh
':' /*
# This file is a shell script that finds a Node 24, and the JavaScript module that it then runs. The shell
# ignores everything after the last "exit". Node reads this part as a comment, so nothing in it may close one.

# If a package.json near a file without an ending contains "commonjs", Node does not load the file as a module: it would do
# nothing and report success. This makes Node treat the first file loaded, which is this one, as a module.
as_module='data:text/javascript,
  import { registerHooks } from "node:module";
  const hooks = registerHooks({
    load(url, context, next) {
      hooks.deregister();
      return next(url, { ...context, format: "module" });
    },
  });'
# A small place for new objects: a run of many short requests needs a third less memory for no more time.
run_with() {
  node=$1
  shift
  major=$("$node" --version 2>&1) || return
  major=${major#v}
  [ "${major%%.*}" -ge 24 ] 2>&- || return
  exec "$node" --disable-warning=ExperimentalWarning --max-semi-space-size=8 --import "$as_module" "$0" "$@"
}
run_with "${KEEL_NODE:-node}" "$@"
if [ -z "$KEEL_NODE" ]; then
  # A checkout has a Node of its own, if this file, or the target of a link to it, is at the root of one.
  file=$(readlink -f "$0") || file=$0
  run_with "${file%/*}/node_modules/.bin/node" "$@"
fi
node=${KEEL_NODE:-node}
version=$("$node" --version 2>/dev/null) || version='missing or broken'
echo "@NAME@ needs Node 24 or newer, and $node is $version: install it, or set KEEL_NODE to the path of one" >&2
exit 1
*/
