# Waits until the applied workloads run, and reports what prevents it.

# The time limit of each wait, in seconds.
rollout_limit=600

# Returns whether pods have a network, or will have one.
has_network() {
  [ "$bridge_network" = no ] || return 0
  [ -z "$(ls "/etc/cni/net.d" 2>/dev/null)" ] || return 0
  [ "$addons" = yes ] && package_list addons | grep -q .
}

# Prints each pod of a namespace that does not run, with the reason from the kubelet or the scheduler.
hanging_pods() {
  kube -n "$1" get pods -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.phase}{"\t"}{.status.conditions[?(@.type=="Ready")].status}{"\t"}{.status.containerStatuses[*].state.waiting.reason} {.status.initContainerStatuses[*].state.waiting.reason}{"\t"}{.status.containerStatuses[*].state.waiting.message} {.status.initContainerStatuses[*].state.waiting.message} {.status.conditions[?(@.type=="PodScheduled")].message}{"\n"}{end}' 2>/dev/null |
    awk -F '\t' '$3 != "True" && $2 != "Succeeded" { print $1 ": " $2 " " $4 " " $5 }' | tr -s ' ' | cut -c 1-300
}

# Waits for one workload: namespace, kind, name. Returns whether it runs.
wait_for() {
  began=$(now)
  told=
  while [ $(($(now) - began)) -lt "$rollout_limit" ]; do
    if kubectl --kubeconfig /etc/kubernetes/admin.conf -n "$1" rollout status "$2/$3" --timeout=15s >"$work/rollout" 2>&1; then
      say "$3 runs ($(($(now) - began)) s)"
      return 0
    fi
    # A line each minute shows that the run is not stuck.
    waited=$(($(now) - began))
    if [ "$((waited / 60))" != "$told" ]; then
      told=$((waited / 60))
      say "waiting for $3 for $waited s: $(hanging_pods "$1" | grep "^$3" | head -n 1)"
    fi
  done
  complain "$3 does not run after $rollout_limit s:"
  hanging_pods "$1" | lines >&2
  complain "see: kubectl -n $1 describe pods; kubectl -n $1 logs $2/$3"
  return 1
}

# Deployments of add-ons need a machine that takes pods.
takes_pods() {
  kube get nodes -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.spec.taints[*].key}{"\n"}{end}' | grep -qv node-role.kubernetes.io/control-plane
}

# Waits until the network, the names and the add-ons run, and this machine is Ready. Ready alone means little: a network
# add-on may report that it is ready before it works.
wait_for_cluster() {
  failed=no
  wait_for kube-system daemonset kube-proxy || failed=yes
  if ! has_network; then
    say 'the package has no pod network, so the machine is not Ready yet: apply one, or use --bridge-network if it is the only machine'
    return 0
  fi
  while read -r space kind name; do
    if [ "$kind" != daemonset ] && ! takes_pods; then
      say "$name waits for a worker, or until the taint of this machine is removed"
      continue
    fi
    wait_for "$space" "$kind" "$name" || failed=yes
  done <"$work/workloads"
  wait_for kube-system deployment coredns || failed=yes
  kubectl --kubeconfig /etc/kubernetes/admin.conf wait --for=condition=Ready "node/$(machine_name)" --timeout="${rollout_limit}s" >"$work/rollout" 2>&1 || {
    lines <"$work/rollout" >&2
    complain 'this machine is not Ready; see: kubectl describe nodes'
    failed=yes
  }
  [ "$failed" = yes ] || say "$(machine_name) is Ready"
  case $failed:$is_new in
    yes:yes) fail 'the cluster exists, but not all of it runs; fix the cause, then run the same command again' ;;
    yes:no) complain 'not all of the cluster runs; for details, run ./install.sh --verify' ;;
  esac
}
