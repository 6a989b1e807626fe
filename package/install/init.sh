# The first machine of a cluster.

# Reads what --init needs to know, before anything is installed.
prepare_init() {
  use_programs
  [ -n "$version" ] || fail 'this package does not contain Kubernetes, so it cannot create a cluster'
  if is_member && ! is_control_plane; then
    fail 'this machine is already a worker of a cluster; to create a new cluster on it, run ./install.sh --uninstall --reset first'
  fi
  find_own_address
  for network in $(pod_network) "$default_services"; do
    ! holds "$network" "$node_address" ||
      complain "WARN: the address of this machine, $node_address, is in $network, a network of the cluster; pods may be unable to reach machines with addresses in it. To choose another network, pass a configuration of your own with --config"
  done
}

# Restarts an init that a power cut or an error ended. install.sh discards its results, unless its API server runs and
# no file is empty: then kubeadm continues where it stopped.
resume_init() {
  [ -e "$state/initialising" ] || return 0
  if api_answers 2>/dev/null && ! has_empty_files; then
    say 'an earlier --init did not finish; its API server answers, so kubeadm continues from there'
    ignored=DirAvailable--var-lib-etcd,Port-6443,Port-10250,Port-10257,Port-10259,Port-2379,Port-2380
    for name in kube-apiserver kube-controller-manager kube-scheduler etcd; do
      ignored=$ignored,FileAvailable--etc-kubernetes-manifests-$name.yaml
    done
  elif [ -e "/etc/kubernetes/pki" ] || [ -e "/etc/kubernetes/manifests/kube-apiserver.yaml" ] || has_etcd_left initialising; then
    begin_anew initialising --init
  fi
}

require_packed_images() {
  [ "$wants_images" = yes ] || return 0
  wanted=$(kubeadm config images list --config "$1" 2>/dev/null) || return 0
  run_ctr images ls -q >"$work/there"
  missing=$(printf '%s\n' "$wanted" | grep -Fvx -f "$work/there" | tr '\n' ' ') || :
  [ -z "$missing" ] || fail "kubeadm needs images that are not on this machine: ${missing% }. Add them to the package (\"images\" in versions.json), or change the configuration"
}

run_init() {
  ignored=
  resume_init
  if [ -z "$config" ]; then
    config=/etc/kubernetes/keel-kubeadm.yaml
    note_change new "$config"
    mkdir -p -- "/etc/kubernetes"
    (umask 077 && init_configuration | grep . >"$config.keel-new")
    mv -f -- "$config.keel-new" "$config"
  fi
  require_packed_images "$config"
  services=$(services_of <"$config")
  keep_service_route "$services"
  mark_begun initialising "$(etcd_folder <"$config")"
  run_kubeadm "/var/log/keel-init.log" "kubeadm init at $node_address takes minutes" init --config "$config" \
    --skip-token-print ${ignored:+"--ignore-preflight-errors=$ignored"} ||
    fail 'fix the cause, then run the same command again; it starts from the beginning'
  sync
  rm -f -- "$state/initialising"
}

init_cluster() {
  is_new=yes
  if [ ! -e "$state/initialising" ] && is_control_plane; then
    within 60 api_answers || fail "this machine is already a control plane of a cluster, but its API server does not answer; $(advice_on_silence)"
    say 'this machine is already a control plane of a cluster; that is unchanged'
    # Another machine may be off, so do not wait for it for long, and do not fail.
    is_new=no
    rollout_limit=60
    services=$(cluster_services)
  else
    run_init
  fi
  if [ "$bridge_network" = yes ]; then kube taint nodes --all node-role.kubernetes.io/control-plane- >/dev/null 2>&1 || :; fi
  apply_addons
  wait_for_cluster
  tell_next
}

# Prints the line for further machines, with a token of 24 hours.
join_words() { kubeadm token create --kubeconfig /etc/kubernetes/admin.conf --print-join-command 2>/dev/null | grep '^kubeadm join ' | sed 's/ *$//'; }

# Prints a configuration of kubeadm for the existing cluster. Reads the one that kubeadm stored.
existing_configuration() {
  cat >"$work/settings"
  cat <<TEXT
$(grep '^apiVersion: ' "$work/settings")
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: "$node_address"
nodeRegistration:
  criSocket: unix://$address
---
TEXT
  cat "$work/settings"
}

# Prints a key for the certificates of further control planes, which is valid for 2 hours. The configuration that
# created the cluster may be for an older version than the present one, or be gone.
certificate_key() {
  if [ "$is_new" = no ]; then
    within 60 ask_settings || return 0
    config=$work/existing.yaml
    printf '%s\n' "$settings" | existing_configuration >"$config"
  fi
  kubeadm init phase upload-certs --upload-certs --config "$config" 2>/dev/null | grep -E '^[0-9a-f]{64}$' | head -n 1
}

# Prints what to do next to the terminal and not into a file, because it contains secrets.
tell_next() {
  say ''
  say "to use the cluster from this machine: export KUBECONFIG=/etc/kubernetes/admin.conf; kubectl get nodes"
  say 'to test pods, names and Services: ./install.sh --verify'
  if [ "$bridge_network" = yes ]; then
    say 'the bridge network works on this machine only'
    return 0
  fi
  joins=$(join_words || :)
  if [ -z "$joins" ]; then
    say 'to add machines, print a line with: kubeadm token create --print-join-command'
    return 0
  fi
  say ''
  say 'on each worker, within 24 hours, from the same package:'
  say "  ./install.sh --join '$joins'"
  key=$(certificate_key || :)
  if [ -n "$key" ]; then
    say 'on each further control plane, within 2 hours:'
    say "  ./install.sh --join '$joins --control-plane --certificate-key $key'"
  else
    say 'to add a control plane, print a key with: kubeadm init phase upload-certs --upload-certs --config FILE'
  fi
  say 'to print new lines later: ./install.sh --init, on this machine'
  if [ "$(kube get nodes -o name | grep -c .)" = 1 ]; then
    say ''
    say 'if this stays the only machine, let it run pods:'
    say '  kubectl taint nodes --all node-role.kubernetes.io/control-plane-'
  fi
}
