# A run that changes the machine, from its beginning to its end: completely or not at all.

# Creates $state, and records which folders above it did not exist.
make_state() {
  made_for_state=
  folder=$(dirname -- "$state")
  while [ ! -d "$folder" ]; do
    made_for_state=$folder$newline$made_for_state
    folder=$(dirname -- "$folder")
  done
  mkdir -p -- "$state" || fail "cannot create $state"
  chmod 0700 "$state" || fail "cannot make $state private (chmod 0700)"
}

# Removes $state and the folders that were created for it, if they are empty.
remove_state() {
  rmdir -- "$state" 2>/dev/null || return 0
  folder=$(dirname -- "$state")
  while case $newline$made_for_state in *"$newline$folder$newline"*) ;; *) false ;; esac; do
    rmdir -- "$folder" 2>/dev/null || return 0
    folder=$(dirname -- "$folder")
  done
}

# Removes what killed runs left: their temporary files, and those of the installer of 1.0.0, which it never removed.
clear_leftovers() {
  for name in work lines undo.new files.new install.new install.old; do rm -rf -- "${state:?}/$name"; done
  for folder in "$root"/var/tmp/keel-install.??????; do
    if [ ! -d "$folder" ] || [ -L "$folder" ] || [ ! -f "$folder/journal" ]; then continue; fi
    [ "$(stat -c %u -- "$folder")" = "$me" ] || continue
    rm -rf -- "$folder"
    say "removed $folder, left by an earlier run"
  done
}

# Takes the lock, undoes the changes of a killed run, and opens the journal.
begin_changes() {
  work=$state/work
  is_done=no
  journal_open=no
  make_state
  take_lock
  trap finish EXIT
  trap 'exit 130' HUP INT QUIT PIPE TERM
  settle
  take_back 'an earlier run was interrupted' || fail 'fix that first, then run this again'
  clear_leftovers
  mkdir -m 0700 -- "$work" || fail "cannot create $work"
  : >"$state/journal"
  journal_open=yes
  printf '%s' "$made_for_state" >"$work/made"
  while IFS= read -r folder; do record made "${folder#"$root"}"; done <"$work/made"
}

# Completes a run: from here on only --uninstall undoes it.
commit() {
  keep_library
  sync
  # Before this rename, an error undoes the whole run; after it, nothing of it.
  mv -f -- "$state/journal" "$state/committed" || fail "cannot rename $state/journal"
  flush "$state"
  is_done=yes
  settle
}

# Adds the records of a completed run to the records of all runs.
settle() {
  [ -f "$state/committed" ] || return 0
  touch "$state/undo" "$state/files" "$state/placing"
  # Copies of keel-pkg's own earlier files were for that run only.
  while IFS=$tab read -r kind _ copy; do
    case $kind:$copy in old:*.keel-old) rm -f -- "$root$copy" ;; esac
  done <"$state/committed"
  {
    cat -- "$state/undo"
    sed "s/^old$tab\([^$tab]*\)$tab.*\.keel-old\$/new$tab\1/" "$state/committed"
  } | awk -F '\t' '
    { kind = $1
      if (kind == "old") kind = "new"
      if (kind == "disabled") kind = "enabled"
      if (kind == "stopped" || kind == "restarted") kind = "started" }
    !seen[kind FS $2]++' >"$state/undo.new"
  cat -- "$state/placing" "$state/files" | awk -F '\t' '!seen[$2]++' >"$state/files.new"
  flush "$state/undo.new" "$state/files.new"
  mv -f -- "$state/undo.new" "$state/undo"
  mv -f -- "$state/files.new" "$state/files"
  if [ -f "$state/version.new" ]; then mv -f -- "$state/version.new" "$state/version"; fi
  rm -f -- "$state/placing" "$state/committed"
}

finish() {
  status=$?
  trap - EXIT
  trap '' HUP INT QUIT PIPE TERM
  # From here on each step is tried, even if an earlier one failed.
  set +e
  if [ "$is_done" = no ]; then
    [ "$status" -ne 0 ] || status=1
    if [ "$journal_open" = yes ]; then take_back 'a step failed'; fi
  fi
  rm -rf -- "$work"
  release_lock
  remove_state
  exit "$status"
}

# Keeps install.sh and its library on the machine, for --uninstall when the package is gone.
keep_library() {
  rm -rf -- "$state/install.new"
  mkdir -p -- "$state/install.new/install" || fail "cannot create $state/install.new"
  grep '^[0-9a-f]\{64\} [ *]install\(/[a-z-]*\)\{0,1\}\.sh$' "$here/SHA256SUMS" >"$state/install.new/SHA256SUMS"
  if [ -f "$state/install/SHA256SUMS" ] && (cd -- "$state/install" && sha256sum -c SHA256SUMS) >/dev/null 2>&1 &&
    [ "$(sum_of "$state/install/SHA256SUMS")" = "$(sum_of "$state/install.new/SHA256SUMS")" ]; then
    rm -rf -- "$state/install.new"
    return 0
  fi
  cp -- "$here"/install/*.sh "$state/install.new/install" || fail "cannot write $state/install.new"
  cp -- "$here/install.sh" "$state/install.new" || fail "cannot write $state/install.new"
  chmod 0755 "$state/install.new/install.sh"
  rm -rf -- "$state/install.old"
  if [ -e "$state/install" ]; then mv -- "$state/install" "$state/install.old"; fi
  mv -- "$state/install.new" "$state/install" || fail "cannot write $state/install"
  rm -rf -- "$state/install.old"
}
