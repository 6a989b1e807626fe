#!/bin/sh
# propose-tables.sh FOLDER: opens a pull request with FOLDER/tables.patch, or updates the open one. Its text is
# FOLDER/difference.txt. It runs in a fresh checkout, with GH_TOKEN, and BASE is the branch that the change is for.
set -eu

folder=$1
branch=tables
title='Add what upstream has released to the tables'
body=$folder/body.md

{
  printf '%s\n\n' "What upstream has that the tables of \`src/config/kubernetes\` lack:"
  sed 's/^/- /' "$folder/difference.txt"
  printf '\n%s\n%s\n' "Written by \`make tables\` in \`.github/workflows/tables.yml\`. GitHub starts no checks for what a workflow opens: close" \
    'this pull request and open it again to start them.'
} >"$body"

git apply --index --whitespace=nowarn "$folder/tables.patch"
git -c user.name='github-actions[bot]' -c user.email='41898282+github-actions[bot]@users.noreply.github.com' \
  commit --quiet --message "$title" --message "$(cat "$folder/difference.txt")"

# gh passes git its token for these two commands only: it is never on the disk, and never an argument of a program.
as_gh() {
  git -c credential.helper= -c credential.helper='!gh auth git-credential' "$@"
}
if as_gh fetch --quiet --depth=1 origin "$branch" 2>/dev/null && git diff --quiet FETCH_HEAD HEAD; then
  echo "the branch $branch has that already"
else
  as_gh push --quiet --force origin "HEAD:refs/heads/$branch"
fi

number=$(gh pr list --head "$branch" --base "$BASE" --state open --json number --jq '.[0].number // empty')
if [ -n "$number" ]; then
  gh pr edit "$number" --title "$title" --body-file "$body"
else
  gh pr create --head "$branch" --base "$BASE" --title "$title" --body-file "$body"
fi
