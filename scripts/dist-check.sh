#!/bin/sh
# Fails if dist/, just rebuilt, differs from the committed one.
set -eu
changed=$(git status --porcelain -- dist)
if [ -n "$changed" ]; then
  echo "dist/ is not what the sources make. Commit what \"make dist\" wrote:" >&2
  echo "$changed" >&2
  exit 1
fi
echo "dist/ is what the sources make"
sh scripts/dist-elsewhere.sh
