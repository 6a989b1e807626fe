#!/bin/sh
# Prints the section of CHANGELOG.md about a version: release-notes.sh 1.2.3. Fails if there is none.
set -eu
notes=$(heading="## $1" awk '
  BEGIN { heading = ENVIRON["heading"] }
  $0 == heading || index($0, heading " ") == 1 { found = 1; next }
  found && /^## / { exit }
  found { print }
' "$(dirname "$0")/../CHANGELOG.md")
if [ -z "$(printf '%s' "$notes" | tr -d '[:space:]')" ]; then
  echo "CHANGELOG.md has no section \"## $1\"" >&2
  exit 1
fi
printf '%s\n' "$notes"
