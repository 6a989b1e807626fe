# One run at a time: two would mix their files, or take each other's back.
#
# The kernel holds the lock of flock and ends it with the run: neither a run that died, nor a boot, nor a process of
# another container that has the same number is taken for its holder. Programs that a run started, and that are still at
# work, hold it too. Some busyboxes have no flock; there a link names the holder.

boot_id() { cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown; }

# Prints when a process started, in ticks since the boot. Its name in the line may have blanks.
process_start() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# Takes the number of the process that is said to hold the lock.
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
    # Some shells hand only those files to a program that its command names.
    flock -n 9 9>&9 || refuse_second_run "$(tail -n 1 "$state/lock" 2>/dev/null | cut -d ' ' -f 1)"
    # Its last holder may have removed it since it was opened, and another run can hold the new one.
    name=$this_run$(cat /proc/sys/kernel/random/uuid 2>/dev/null || :)
    printf '%s\n' "$name" >&9
    if [ "$(tail -n 1 "$state/lock" 2>/dev/null)" = "$name" ]; then return 0; fi
  done
}

# Returns whether the process that a lock names still runs. A later one can have its number.
is_running() {
  # shellcheck disable=SC2086 # its parts
  set -- $1
  [ "${3:-}" = "$(boot_id)" ] && { [ -d "/proc/$1" ] || kill -0 "$1" 2>/dev/null; } && [ "${2:-}" = "$(process_start "$1")" ]
}

lock_link() {
  until ln -s -- "$this_run" "$state/lock" 2>/dev/null; do
    holder=$(readlink -- "$state/lock") || continue
    # An upgrade takes it at each of its steps.
    [ "$holder" != "$this_run" ] || return 0
    if is_running "$holder"; then refuse_second_run "${holder%% *}"; fi
    # Of several that find it to be of a dead run, one at a time may remove it, and just that one.
    mkdir -- "$state/lock.ended" 2>/dev/null || refuse_second_run ''
    if [ "$(readlink -- "$state/lock")" = "$holder" ]; then rm -f -- "$state/lock"; fi
    rmdir -- "$state/lock.ended"
  done
}

release_lock() {
  rm -f -- "$state/lock"
  exec 9>&-
}
