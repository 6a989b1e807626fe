# Further machines of a cluster.

refuse_line() { fail "--join: $1; pass the line printed by --init or by kubeadm token create --print-join-command, in quotes"; }

# Sets $join_endpoint, $join_token, $join_hashes, $join_control_plane and $join_key from the line. The line is not
# executed: each part is read, and unknown parts are refused.
read_join_line() {
  # kubeadm may break the line in two with a backslash.
  words=$(printf '%s' "$join_line" | tr '\\\n\t' '   ')
  case $words in *[!A-Za-z0-9.:_/\[\]\ -]*) refuse_line 'it contains characters that such a line cannot have' ;; esac
  join_endpoint=
  join_token=
  join_hashes=
  join_control_plane=no
  join_key=
  set -f
  # shellcheck disable=SC2086 # words are what it is split into
  set -- $words
  set +f
  if [ "${1-}" = kubeadm ]; then shift; fi
  if [ "${1-}" = join ]; then shift; fi
  while [ $# -gt 0 ]; do
    case $1 in
      --token | --discovery-token-ca-cert-hash | --certificate-key)
        [ $# -ge 2 ] || refuse_line "$1 has no value"
        case $1 in
          --token) join_token=$2 ;;
          --certificate-key) join_key=$2 ;;
          *) join_hashes="$join_hashes $2" ;;
        esac
        shift
        ;;
      --control-plane) join_control_plane=yes ;;
      -*) refuse_line "$1 is an unknown option" ;;
      *)
        [ -z "$join_endpoint" ] || refuse_line "$1 is one address too many"
        join_endpoint=$1
        ;;
    esac
    shift
  done
  printf '%s\n' "$join_endpoint" | grep -Eq '^([0-9A-Za-z.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}$' || refuse_line 'it has no address of an API server, such as 10.0.0.11:6443'
  printf '%s\n' "$join_token" | grep -Eq '^[a-z0-9]{6}\.[a-z0-9]{16}$' || refuse_line 'it has no token'
  # Without the hash, the machine would trust any server at that address.
  [ -n "$join_hashes" ] || refuse_line 'it has no --discovery-token-ca-cert-hash'
  # shellcheck disable=SC2086
  if printf '%s\n' $join_hashes | grep -Evq '^sha256:[0-9a-f]{64}$'; then refuse_line 'a --discovery-token-ca-cert-hash is not a hash'; fi
  case $join_control_plane:$join_key in
    yes: | no:) ;;
    no:*) refuse_line '--certificate-key requires --control-plane' ;;
    *) printf '%s\n' "$join_key" | grep -Eq '^[0-9a-f]{64}$' || refuse_line 'the --certificate-key is not a key' ;;
  esac
}

# Reads what --join needs to know, before anything is installed.
prepare_join() {
  use_programs
  [ -n "$version" ] || fail 'this package does not contain Kubernetes, so this machine cannot join a cluster with it'
  [ -n "$config" ] || read_join_line
  find_own_address
}

# Prints the name of this machine in the cluster.
machine_name() {
  name=$(kube_of_machine auth whoami -o 'jsonpath={.status.userInfo.username}' 2>/dev/null | sed -n 's/^system:node://p')
  [ -n "$name" ] || name=$(uname -n | tr '[:upper:]' '[:lower:]')
  printf '%s\n' "$name"
}

is_ready() {
  [ "$(kube_of_machine get node "$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null)" = True ]
}

# Waits until this machine is Ready, as far as it can see.
wait_for_machine() {
  name=$(machine_name)
  began=$(now)
  say "waiting until $name is Ready"
  until is_ready "$name"; do
    if [ $(($(now) - began)) -ge 600 ]; then
      complain "$name is part of the cluster, but is not Ready after 600 s:"
      kube_of_machine get node "$name" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].message}' 2>&1 | lines >&2 || :
      fail 'see: journalctl -u kubelet, and on the first machine: ./install.sh --verify'
    fi
    sleep 3
  done
  say "$name is Ready ($(($(now) - began)) s)"
}

# A join that was cut off leaves the certificates of the cluster, and the next one would fail because of them.
clear_dead_join() {
  [ -e "$state/joining" ] || return 0
  if ! is_control_plane && ! has_empty_files && kube_of_machine get node "$(machine_name)" >/dev/null 2>&1; then
    rm -f -- "$state/joining"
    return 0
  fi
  if [ ! -e /etc/kubernetes/pki ] && [ ! -e /etc/kubernetes/bootstrap-kubelet.conf ] && ! has_etcd_left joining; then return 0; fi
  begin_anew joining --join
}

join_cluster() {
  clear_dead_join
  if [ ! -e "$state/joining" ] && is_member; then
    say 'this machine is already part of a cluster; that is unchanged'
    wait_for_machine
    return 0
  fi
  if [ -z "$config" ]; then
    # The configuration contains a secret. It is deleted when this run ends.
    config=$work/join.yaml
    (umask 077 && join_configuration | grep . >"$config")
  fi
  # The pods of the network add-on need the route as soon as the machine has joined. The cluster's own network of
  # Services is only known later.
  keep_service_route "$default_services"
  mark_begun joining "$(etcd_folder </dev/null)"
  run_kubeadm /var/log/keel-join.log "kubeadm join as $node_address" join --config "$config" ||
    fail 'fix the cause, then run the same command again; it starts from the beginning'
  sync
  rm -f -- "$state/joining"
  services=$(cluster_services)
  keep_service_route "$services"
  wait_for_machine
  say 'done'
}
