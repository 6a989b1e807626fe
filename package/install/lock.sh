# One run at a time: two would mix their files, or undo each other's changes.
#
# The kernel holds the lock of flock and ends it with the run: a killed run, a run before a boot, or a process of
# another container with the same number never counts as the holder. Programs that a run started and that still run hold
# it too. Some versions of busybox have no flock; there a link names the holder.

boot_id() { cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown; }

# Prints when a process started, in ticks since the boot. The name in its line may contain blanks.
process_start() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# Takes the number of the process that holds the lock, as far as it is known.
refuse_second_run() {
  fail "another run of install.sh${1:+, process $1,} is in progress; wait until it ends. Nothing was changed"
}

take_lock() {
  this_run="$$ $(process_start $$) $(boot_id)"
  if command -v flock >/dev/null 2>&1; then lock_file; else lock_link; fi
}

lock_file() {
  while :; do
    mkdir -p -- "$state"
    exec 9>>"$state/lock"
    # Some shells pass an open file to a program only if its command names that file.
    flock -n 9 9>&9 || refuse_second_run "$(tail -n 1 "$state/lock" 2>/dev/null | cut -d ' ' -f 1)"
    # The last holder may have removed the file since this run opened it, and another run can hold the new one.
    name=$this_run$(cat /proc/sys/kernel/random/uuid 2>/dev/null || :)
    printf '%s\n' "$name" >&9
    if [ "$(tail -n 1 "$state/lock" 2>/dev/null)" = "$name" ]; then return 0; fi
  done
}

# Returns whether the process that a lock names still runs. A later process can have its number.
is_running() {
  # shellcheck disable=SC2086 # its parts
  set -- $1
  [ "${3:-}" = "$(boot_id)" ] && { [ -d "/proc/$1" ] || kill -0 "$1" 2>/dev/null; } && [ "${2:-}" = "$(process_start "$1")" ]
}

lock_link() {
  until ln -s -- "$this_run" "$state/lock" 2>/dev/null; do
    holder=$(readlink -- "$state/lock") || continue
    # An upgrade takes the lock at each of its steps.
    [ "$holder" != "$this_run" ] || return 0
    if is_running "$holder"; then refuse_second_run "${holder%% *}"; fi
    # If several runs find the lock of a dead run, only one at a time may remove it, and only that lock.
    mkdir -- "$state/lock.ended" 2>/dev/null || refuse_second_run ''
    if [ "$(readlink -- "$state/lock")" = "$holder" ]; then rm -f -- "$state/lock"; fi
    rmdir -- "$state/lock.ended"
  done
}

release_lock() {
  rm -f -- "$state/lock"
  exec 9>&-
}
