#!/bin/sh
# Checks every shell script of the repository.
set -eu
if ! command -v shellcheck >/dev/null 2>&1; then
  echo "shellcheck is not installed: shell scripts are not checked" >&2
  exit 0
fi
# SC2211 and SC2287: the preamble ends with the end of a JavaScript comment.
# install.sh reads its library, so these files are checked together.
git ls-files -z '*.sh' .ci/run ':!package' | xargs -0 shellcheck --exclude=SC2211,SC2287,SC2317 --
exec shellcheck --external-sources --check-sourced --exclude=SC2317 package/install.sh
