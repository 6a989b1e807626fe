# Undoes the effects of commands: units, settings, modules.

# Enables or disables a unit, which needs no running systemd.
run_systemctl() {
  command -v systemctl >/dev/null 2>&1 || return 0
  if [ -n "$root" ]; then systemctl --root="$root" "$@"; else systemctl "$@"; fi >/dev/null 2>&1
}

undo_unit() {
  case $1 in
    # It may be disabled already.
    enabled) run_systemctl disable "$2" || ! run_systemctl is-enabled "$2" ;;
    disabled) run_systemctl enable "$2" ;;
    started) ! systemd_runs || systemctl stop "$2" >/dev/null 2>&1 || ! systemctl is-active --quiet "$2" ;;
    # start_again does this when all files are back.
    stopped | restarted) ;;
  esac
}

# Stops a running unit whose file is to be removed. That may uncover another unit of the same name, which then runs
# again.
stop_unit_of() {
  case $1 in /etc/systemd/system/*.service) ;; *) return 0 ;; esac
  systemd_runs || return 0
  unit=${1##*/}
  [ "$(systemctl show -p FragmentPath --value "$unit" 2>/dev/null)" = "$1" ] || return 0
  systemctl is-active --quiet "$unit" || return 0
  units_stopped="$units_stopped $unit"
  systemctl stop "$unit" >/dev/null 2>&1 || complain "note: cannot stop $unit"
}

# Starts the units that ran before, with their earlier files. Takes the file of the lines that were undone.
start_again() {
  systemd_runs || return 0
  systemctl daemon-reload || complain 'note: systemctl daemon-reload failed; run it again'
  {
    printf '%s\n' "$units_stopped" | tr ' ' '\n'
    awk -F '\t' '$1 == "restarted" || $1 == "stopped" { print $2 }' "$1"
  } | sort -u | while IFS= read -r unit; do
    if [ -z "$unit" ] || ! systemctl cat "$unit" >/dev/null 2>&1; then continue; fi
    systemctl restart "$unit" </dev/null >/dev/null 2>&1 || complain "note: $unit did not start again; see: journalctl -u $unit"
  done
}

undo_setting() {
  [ -z "$root" ] || return 0
  # Some settings disappear with their module.
  [ -e "/proc/sys/$(printf '%s' "$1" | tr . /)" ] || return 0
  sysctl -q -w "$1=$2" >/dev/null 2>&1
}

undo_module() {
  [ -z "$root" ] || return 0
  modprobe -r -- "$1" 2>/dev/null || complain "note: the module $1 is in use; it stays loaded until the next boot"
}
