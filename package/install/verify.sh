# Whether the cluster works: machines, pods, names and Services, on every machine.

# Of a larger cluster, install.sh tests only a part, and reports that.
most_targets=8

good() { say "ok    $*"; }
# Records an error, and what to do about it.
flaw() {
  faults=$((faults + 1))
  complain "FAIL  $*"
}

# Prints a row for each thing that a query of kubectl finds, or nothing.
rows() { kube get "$@" 2>/dev/null || :; }

# Runs a check on each row of a file, whose parts are separated by "|". The check may call flaw, because it does not run
# in a pipe.
each_row() {
  file=$1
  shift
  while IFS='|' read -r one two three four; do "$@" "$one" "$two" "$three" "$four"; done <"$file"
}

# --- machines -----------------------------------------------------------------------------------------------------------

check_machine_row() {
  [ "$2" = True ] || flaw "the machine $1 is not Ready: ${4:-it does not report}; see there: journalctl -u kubelet"
  there=$(minor_of "${3#v}")
  if [ "$there" -gt "$(minor_of "$api_version")" ]; then
    flaw "the kubelet of $1 is $3, newer than the API server, v$api_version; upgrade the control planes first"
  elif [ "$there" -lt $(($(minor_of "$api_version") - 3)) ]; then
    flaw "the kubelet of $1 is $3, too old for the API server, v$api_version; upgrade it"
  elif [ "${3#v}" != "$api_version" ]; then
    say "note  the kubelet of $1 is $3, the API server is v$api_version"
  fi
}

check_machines() {
  api_version=$(kube get --raw /version | sed -n 's/.*"gitVersion": *"v\([^"+]*\).*/\1/p' | head -n 1)
  rows nodes -o 'jsonpath={range .items[*]}{.metadata.name}{"|"}{.status.conditions[?(@.type=="Ready")].status}{"|"}{.status.nodeInfo.kubeletVersion}{"|"}{.status.conditions[?(@.type=="Ready")].message}{"\n"}{end}' >"$work/machines"
  machines=$(grep -c . "$work/machines" || :)
  before=$faults
  each_row "$work/machines" check_machine_row
  [ "$faults" != "$before" ] || good "$(counted "$machines" machine) Ready, API server v$api_version"
}

# --- the pods of the cluster itself -------------------------------------------------------------------------------------

check_own_row() {
  case $3 in
    Running) flaw "the pod $1/$2 runs, but is not ready; see: kubectl -n $1 describe pod $2" ;;
    *) flaw "the pod $1/$2 does not run: ${3:-no reason reported}; see: kubectl -n $1 describe pod $2" ;;
  esac
}

# Lists the pods of the cluster itself in $work/all, and those that do not run in $work/own.
list_own_pods() {
  rows pods -A -o 'jsonpath={range .items[*]}{.metadata.namespace}{"|"}{.metadata.name}{"|"}{.status.phase}{"|"}{.status.conditions[?(@.type=="Ready")].status}{"|"}{.status.containerStatuses[*].state.waiting.reason} {.status.conditions[?(@.type=="PodScheduled")].message}{"\n"}{end}' |
    grep -E '^(kube-|calico|cilium|tigera)' | grep -v '^[^|]*|[^|]*|Succeeded|' >"$work/all" || :
  awk -F '|' '$4 != "True" { gsub(/ +$/, "", $5); print $1 FS $2 FS ($5 == "" ? $3 : $3 " " $5) }' "$work/all" >"$work/own"
}

check_own_pods() {
  began=$(now)
  list_own_pods
  told=no
  # Pods that have just started, as after a boot or on a machine that has joined, may need minutes on slow machines.
  while grep -Eq '[|](Running|(Pending )?(ContainerCreating|PodInitializing))$' "$work/own" && [ $(($(now) - began)) -lt 180 ]; do
    if [ "$told" = no ] && [ $(($(now) - began)) -ge 10 ]; then
      say 'waiting up to 3 minutes for starting pods of the cluster'
      told=yes
    fi
    sleep 3
    list_own_pods
  done
  before=$faults
  each_row "$work/own" check_own_row
  [ "$faults" != "$before" ] || good "$(grep -c . "$work/all" || :) pods of the cluster itself run"
}

# --- pods on each machine -----------------------------------------------------------------------------------------------

# Applies what it reads, and waits until a pod of it is ready on each machine, or the limit is reached.
run_pods() {
  kube apply -f - >"$work/applied" 2>&1 || {
    lines <"$work/applied" >&2
    flaw 'cannot create the pods of this check'
    return 1
  }
  kubectl --kubeconfig /etc/kubernetes/admin.conf -n "$space" rollout status "daemonset/$1" --timeout=180s >/dev/null 2>&1 || :
}

check_listening_row() {
  row=$(awk -F '|' -v node="$1" '$1 == node' "$work/pods")
  case $row in
    "$1|"*'|True|'*) ;;
    '') flaw "no pod was created on $1; see: kubectl -n kube-system logs -l component=kube-controller-manager" ;;
    *) flaw "a pod of $image_of_dns does not run on $1: $(printf '%s\n' "$row" | cut -d '|' -f 4 | tr -s ' '); to import the images again, run ./install.sh there" ;;
  esac
}

# A pod asks for thirty seconds after its start, which was before $began. Its log has the question before or after the
# rewrite: test machines had both.
asks_in_vain() {
  until kube -n "$space" logs "$1" --tail=50 2>/dev/null | grep -Eq '"(A|HINFO) IN .* NOERROR'; do
    [ $(($(now) - began)) -lt 35 ] || return 0
    sleep 2
  done
  return 1
}

check_name_row() {
  [ "$3" = True ] || return 0
  if asks_in_vain "$2"; then
    flaw "a pod on $1 gets no answer to web.$space.svc.$domain from the DNS at $dns_address; see: kubectl -n kube-system logs -l k8s-app=kube-dns"
  fi
}

check_listening() {
  listening_pods | run_pods names || return 0
  rows pods -n "$space" -l app=names -o 'jsonpath={range .items[*]}{.spec.nodeName}{"|"}{.metadata.name}{"|"}{.status.conditions[?(@.type=="Ready")].status}{"|"}{.status.containerStatuses[*].state.waiting.reason} {.status.containerStatuses[*].state.waiting.message} {"\n"}{end}' >"$work/pods"
  before=$faults
  each_row "$work/machines" check_listening_row
  [ "$faults" != "$before" ] || good "a pod of a packed image runs on each machine"
  before=$faults
  began=$(now)
  each_row "$work/pods" check_name_row
  [ "$faults" != "$before" ] || good "pods on each machine resolve the name of a Service with the DNS (UDP)"
}

# --- addresses seen from each machine -----------------------------------------------------------------------------------

target_text() {
  case $1 in
    dns) echo "the DNS of the cluster at $dns_address (TCP)" ;;
    service) echo "a Service at $web_address" ;;
    *) awk -v number="${1#pod-}" '$1 == number { print "the pod " $3 " on " $2 }' "$work/targets" ;;
  esac
}

check_reach_row() {
  for word in $2; do
    case $word in
      *=true) ;;
      *) flaw "$1 does not reach $(target_text "${word%%=*}"); check kube-proxy, the pods of the network, and the firewall of both machines" ;;
    esac
  done
}

check_reach() {
  web_address=$(rows service web -n "$space" -o 'jsonpath={.spec.clusterIP}')
  rows pods -n "$space" -l app=names -o 'jsonpath={range .items[*]}{.spec.nodeName} {.status.podIP}{"\n"}{end}' |
    awk -v most="$most_targets" 'NF == 2 && n < most { print ++n, $1, $2 }' >"$work/targets"
  looking_pods | run_pods reach || return 0
  rows pods -n "$space" -l app=reach -o 'jsonpath={range .items[*]}{.spec.nodeName}{"|"}{range .status.containerStatuses[*]}{.name}={.ready} {end}{"\n"}{end}' >"$work/reach"
  before=$faults
  [ "$(grep -c . "$work/reach" || :)" = "$machines" ] || flaw "the pod that tests the other machines could not be created on each machine"
  each_row "$work/reach" check_reach_row
  [ "$faults" != "$before" ] || good "each machine reaches the DNS (TCP), a Service, and pods on $(counted "$(grep -c . "$work/targets")" machine)"
}

# --- images -------------------------------------------------------------------------------------------------------------

check_images() {
  [ -n "$(image_names)" ] || return 0
  # shellcheck disable=SC2034 # find_ctr looks into it
  plan=
  address=${address:-/run/containerd/containerd.sock}
  find_ctr
  run_ctr images ls >"$work/images" 2>&1 || {
    flaw "containerd does not answer at $address; see: journalctl -u containerd"
    return 0
  }
  image_names | while IFS= read -r name; do
    awk -v name="$name" -v pin="$pin" '$1 == name { there = 1; pinned = /cri-containerd\.pinned=pinned/ }
      END { if (!there) print name "|is not on this machine"; else if (!pinned && pin == "yes") print name "|is not pinned, so the kubelet may remove it" }' "$work/images"
  done >"$work/odd"
  before=$faults
  each_row "$work/odd" check_image_row
  [ "$faults" != "$before" ] || good "$(image_names | grep -c .) images of the package are on this machine$([ "$pin" = no ] || echo ' and pinned')"
}

check_image_row() { flaw "$1 $2; to fix this, run ./install.sh"; }

# --- all of it ----------------------------------------------------------------------------------------------------------

end_verify() {
  status=$?
  trap - EXIT
  trap '' HUP INT TERM
  if [ -n "$space" ]; then
    kubectl --kubeconfig /etc/kubernetes/admin.conf delete namespace "$space" --ignore-not-found --timeout=120s >/dev/null 2>&1 ||
      complain "the namespace $space could not be removed: kubectl delete namespace $space"
  fi
  rm -rf -- "$work"
  exit "$status"
}

verify_cluster() {
  use_programs
  [ -e /etc/kubernetes/admin.conf ] || fail 'run --verify on a control plane of the cluster; this machine has no /etc/kubernetes/admin.conf'
  within 60 api_answers || fail "the API server does not answer; $(advice_on_silence)"
  faults=0
  space=
  work=/run/keel-verify.$$
  mkdir -m 0700 -- "$work"
  trap end_verify EXIT
  trap 'exit 130' HUP INT TERM
  check_machines
  check_own_pods
  check_images
  dns_address=$(rows service kube-dns -n kube-system -o 'jsonpath={.spec.clusterIP}')
  image_of_dns=$(rows deployment coredns -n kube-system -o 'jsonpath={.spec.template.spec.containers[0].image}')
  pause=$(fact PAUSE_IMAGE)
  domain=$(rows configmap kubeadm-config -n kube-system -o 'jsonpath={.data.ClusterConfiguration}' | sed -n 's/^ *dnsDomain: *//p' | head -n 1)
  domain=${domain:-cluster.local}
  if [ -z "$dns_address" ] || [ -z "$image_of_dns" ] || [ -z "$pause" ]; then
    flaw 'the cluster has no CoreDNS, or the package has no pause image, so pods cannot be tested'
  else
    # Removes what a run left that was cut off.
    kube delete namespace -l "keel-verify=$(uname -n)" --wait=false >/dev/null 2>&1 || :
    space=keel-verify-$(now)
    kube apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Namespace
metadata:
  name: $space
  labels: {keel-verify: "$(uname -n)", pod-security.kubernetes.io/enforce: privileged}
YAML
    say 'running pods on every machine; this takes a minute or two'
    check_listening
    check_reach
  fi
  tell_limits
  [ "$faults" = 0 ] || fail "$(counted "$faults" problem) found"
  say 'no problems found'
}

# Prints what this test does not show.
tell_limits() {
  say 'not tested: images on other machines (run ./install.sh there to check); addresses outside the cluster'
  say 'not tested: traffic from pod to pod, other than to the pods of the DNS'
  [ "$machines" != 1 ] || say 'not tested: traffic between machines, because there is only one'
  [ "$machines" -le "$most_targets" ] || say "not tested: pods on more than $most_targets machines as targets"
}
