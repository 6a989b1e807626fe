# Reports what kubeadm and the kubelet of this version refuse or need, before anything is installed.
#
# A check prints rows: FAIL, WARN or ok, the finding, and the command that fixes it. It reads files below $machine: the
# machine itself, or the tree of --root.
# https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/

row() { printf '%s\t%s\t%s\n' "$1" "$2" "${3-}"; }

# Prints a file of the machine. It skips pipes, which would never end.
text_of() { if [ -f "$machine$1" ]; then cat -- "$machine$1" 2>/dev/null || :; fi; }

# Returns whether the minor version of Kubernetes is a given one or later. An unknown version counts as new.
is_since() {
  minor=$(minor_of "$kubernetes")
  [ -z "$minor" ] || [ "$minor" -ge "$1" ]
}

# Sets the variables that checks read.
read_machine() {
  machine=$root
  kubernetes=$(fact KUBERNETES_VERSION)
  kubernetes=${kubernetes#v}
  role=control-plane
  if [ "$action" = join ]; then
    if [ -n "$config" ]; then grep -q '^controlPlane:' "$config" || role=worker
    else [ "$join_control_plane" = yes ] || role=worker; fi
  fi
  # A machine of a cluster has files and ports that a new one must not have.
  member=no
  for mark in etc/kubernetes/kubelet.conf var/lib/keel/initialising var/lib/keel/joining; do
    [ ! -e "$machine/$mark" ] || member=yes
  done
}

# Runs a check. One that dies would look like one that found nothing.
run_check() { ("$@") || row FAIL "the check $1 failed to run" 'report this to the authors of keel-pkg'; }

# Prints rows about what every installation needs.
rows_of_installation() {
  if [ "$action" = check ]; then run_check place_rows; fi
  run_check room_rows
  [ -z "$root" ] || return 0
  run_check mount_rows
  run_check inode_rows
}

# Prints rows about what only a cluster needs: a machine image may be built on another kind of machine.
rows_of_cluster() {
  for check in swap_at_boot_rows cluster_rows runtime_rows; do run_check "$check"; done
  [ -z "$root" ] || return 0
  for check in init_rows swap_rows cgroup_rows kernel_rows module_rows size_rows program_rows host_rows route_rows address_rows \
    resolver_rows proxy_rows port_rows security_rows eviction_rows kubeadm_rows; do
    run_check "$check"
  done
  run_check clock_rows "$(date +%Y)" "$(timedatectl show -p NTPSynchronized --value 2>/dev/null || :)"
  run_check firewall_rows "$(active_services firewalld ufw nftables)"
}

active_services() {
  for service in "$@"; do
    if systemctl is-active --quiet "$service" 2>/dev/null; then printf '%s ' "$service"; fi
  done
}

# Prints a row about whether only root can change the places of files.
place_rows() {
  if why=$( (require_safe_places) 2>&1); then row ok 'only root can change the installed files'
  else row FAIL "${why#install.sh: }"; fi
}

# Prints rows for people, the worst last. Without --check it leaves out rows that are ok.
tell_rows() {
  for kind in ok WARN FAIL; do
    printf '%s\n' "$1" | while IFS=$tab read -r level what mend; do
      case $level:$action in
        "$kind:check") line "$(printf %-5s "$kind") $what${mend:+; fix: $mend}" ;;
        ok:*) ;;
        "$kind":*) complain "$kind: $what${mend:+; fix: $mend}" ;;
      esac
    done
  done
}

# Reports all that is missing. Exits with 1 if a step would fail. What only a cluster needs does not prevent an
# installation.
check_machine() {
  read_machine
  read_needs
  rows=$(rows_of_installation)
  if [ -n "$kubernetes" ]; then
    more=$(rows_of_cluster)
    case $action in
      check | init | join) ;;
      *) more=$(printf '%s\n' "$more" | sed 's/^FAIL/WARN/') ;;
    esac
    rows=$rows$newline$more
  fi
  tell_rows "$rows"
  failed=$(printf '%s\n' "$rows" | grep -c '^FAIL' || :)
  if [ "$failed" -gt 0 ]; then fail "fix the $(counted "$failed" error) above first; nothing was changed"; fi
  if [ "$action" = check ]; then say 'this machine is ready for the package; nothing was changed'; fi
}
