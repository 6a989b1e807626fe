# The services of the machine, and the kernel settings for them.

# Returns whether systemd runs this machine; in chroots and image builds it is only installed.
systemd_runs() {
  [ -z "$root" ] && [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1 || return 1
  case $(systemctl is-system-running 2>/dev/null) in '' | offline | unknown) return 1 ;; esac
}

has_changed() { case " ${changed_parts-} " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
property() { systemctl show -p "$2" --value "$1.service" 2>/dev/null || :; }

# Prints the lines of the package's files below a folder of settings, without comments.
setting_lines() {
  printf '%s' "$plan" | while IFS=$tab read -r _ part from to; do
    case $part:$to in "settings:$1"/*) sed '/^[[:space:]]*[#;]/d; /^[[:space:]]*$/d' "$here/$from" ;; esac
  done
}

# Returns whether a module is loaded, or built into the kernel.
is_loaded() {
  name=$(printf '%s' "$1" | tr - _)
  grep -q "^$name " /proc/modules 2>/dev/null ||
    sed 's|.*/||; s/\.ko.*//' "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null | tr - _ | grep -Fqx -- "$name"
}

load_modules() {
  setting_lines /etc/modules-load.d >"$work/modules"
  while read -r module; do
    if is_loaded "$module"; then continue; fi
    record module "$module"
    modprobe -- "$module" </dev/null 2>/dev/null || complain "note: the module $module was not loaded"
  done <"$work/modules"
}

# Applies the kernel settings now; systemd does this at each boot.
set_kernel() {
  setting_lines /etc/sysctl.d | sed 's/^[[:space:]]*-\{0,1\}//; s/[[:space:]]*=[[:space:]]*/ /' >"$work/settings"
  while read -r key value; do
    file=/proc/sys/$(printf '%s' "$key" | tr . /)
    old=$(tr '\t' ' ' 2>/dev/null <"$file") || old=
    [ "$old" != "$value" ] || continue
    [ -z "$old" ] || record sysctl "$key" "$old"
    { printf '%s\n' "$value" >"$file"; } 2>/dev/null || complain "note: the kernel setting $key could not be set to $value"
  done <"$work/settings"
}

enable_unit() {
  [ -f "/etc/systemd/system/$1.service" ] || return 0
  [ "$(systemctl is-enabled "$1.service" 2>/dev/null)" != enabled ] || return 0
  record enabled "$1.service"
  said=$(systemctl enable "$1.service" 2>&1) || fail "$1 cannot be enabled: $said"
}

# Prints the second in which a service was started, or nothing.
start_of() {
  # shellcheck disable=SC2046 # as in "Mon 2026-11-30 14:43:00 UTC"
  set -- $(TZ=UTC systemctl show -p ExecMainStartTimestamp --value "$1.service" 2>/dev/null)
  [ $# -ne 4 ] || TZ=UTC date -d "$2 $3" +%s
}

# Returns whether a service runs with another program or older files than the present ones of the part with its name. A
# run may have placed them, and ended before it restarted the service.
is_stale() {
  has_changed "$1" && return 0
  pid=$(property "$1" MainPID)
  [ "${pid:-0}" -ne 0 ] || return 1
  [ "$(stat -L -c %d:%i -- "/proc/$pid/exe" 2>/dev/null)" = "$(stat -L -c %d:%i -- "/usr/local/bin/$1" 2>/dev/null)" ] || return 0
  started=$(start_of "$1")
  [ -n "$started" ] || return 1
  newest=$(printf '%s' "$plan" | while IFS=$tab read -r _ part _ to; do
    case $part:$to in "$1:/etc"/*) stat -c %Y -- "$to" 2>/dev/null || : ;; esac
  done | sort -n | tail -n 1)
  [ -n "$newest" ] && [ "$newest" -gt "$started" ]
}

# Reports a running containerd that is not from a package: its unit stays, but is no longer used.
tell_other_containerd() {
  other=$(property containerd FragmentPath)
  case $other in '' | /etc/systemd/system/containerd.service) return 0 ;; esac
  [ "$(property containerd ActiveState)" = active ] || return 0
  program=$(readlink -- "/proc/$(property containerd MainPID)/exe" 2>/dev/null) || program='a program'
  say "another containerd runs on this machine: ${program% (deleted)}, started by $other; the one from this package replaces it, started by /etc/systemd/system/containerd.service"
}

# Starts or restarts a service if it does not run as it should. A kubelet that belongs to no cluster is not started.
bring_up() {
  [ -f "/etc/systemd/system/$1.service" ] || return 0
  if [ "$(property "$1" ActiveState)" = active ]; then
    is_stale "$1" || return 0
    record restarted "$1.service"
    say "restarting $1"
  else
    [ "$1" != kubelet ] || return 0
    record started "$1.service"
  fi
  systemctl restart "$1.service" </dev/null || fail "$1 does not start; see: journalctl -u $1"
}

start_services() {
  [ -z "$root" ] || return 0
  if ! command -v systemctl >/dev/null 2>&1; then
    complain 'note: this machine has no systemd; start or restart containerd and the kubelet with its own service manager'
    return 0
  fi
  runs=no
  if systemd_runs; then
    runs=yes
    if [ -f /etc/systemd/system/containerd.service ]; then tell_other_containerd; fi
  fi
  enable_unit containerd
  enable_unit kubelet
  if [ "$runs" = no ]; then
    complain 'note: systemd does not run here; the installed services start at the next boot of this machine'
    return 0
  fi
  load_modules
  set_kernel
  if has_changed containerd || has_changed kubelet || [ "$(property containerd NeedDaemonReload)" = yes ] ||
    [ "$(property kubelet NeedDaemonReload)" = yes ]; then
    systemctl daemon-reload
  fi
  bring_up containerd
  bring_up kubelet
}
