# What kubeadm and the kubelet of this version refuse or need, told before anything is placed.
#
# A check prints rows: FAIL, WARN or ok, what is so, and the command that mends it. What it reads lies below $machine: the
# machine itself, or the tree of --root. https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/

row() { printf '%s\t%s\t%s\n' "$1" "$2" "${3-}"; }

# Prints what a file of the machine says. A pipe would never end.
text_of() { if [ -f "$machine$1" ]; then cat -- "$machine$1" 2>/dev/null || :; fi; }

# Returns whether Kubernetes is a minor version of 1 or a later one. What is not known is new.
is_since() {
  minor=$(minor_of "$kubernetes")
  [ -z "$minor" ] || [ "$minor" -ge "$1" ]
}

# Sets what the checks go by.
read_machine() {
  machine=$root
  kubernetes=$(fact KUBERNETES_VERSION)
  kubernetes=${kubernetes#v}
  role=control-plane
  if [ "$action" = join ]; then
    if [ -n "$config" ]; then grep -q '^controlPlane:' "$config" || role=worker
    else [ "$join_control_plane" = yes ] || role=worker; fi
  fi
  # A machine of a cluster has what a new one may not have.
  member=no
  for mark in etc/kubernetes/kubelet.conf var/lib/keel/initialising var/lib/keel/joining; do
    [ ! -e "$machine/$mark" ] || member=yes
  done
}

# Makes a check. One that dies would look like one that found nothing.
run_check() { ("$@") || row FAIL "the check $1 failed to run" 'report this to the authors of keel-pkg'; }

# Prints rows about what the package needs in any case.
rows_of_installation() {
  if [ "$action" = check ]; then run_check place_rows; fi
  run_check room_rows
  [ -z "$root" ] || return 0
  run_check mount_rows
  run_check inode_rows
}

# Prints rows about what only a cluster needs: who builds the image of a machine may do that elsewhere.
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

# Where a folder is nobody's to install into, as a row.
place_rows() {
  if why=$( (require_safe_places) 2>&1); then row ok 'only root can change the installed files'
  else row FAIL "${why#install.sh: }"; fi
}

# Prints rows for people, the worst last. Without --check what is well is not worth a line.
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

# Tells all that is missing. Ends with 1 where something would fail; what only a cluster needs is no reason to place nothing.
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
