# The add-ons of the package: the pod network and others.

# Prints a manifest for kubectl apply. flannel, whatever a manifest of the user's own calls it, uses the interface of
# the default route. The added option makes it use the interface that leads to the Services, which on every machine is
# the one to the other machines. A manifest that names an interface stays unchanged.
addon_manifest() {
  if grep -Eq '^ *- .?--iface' "$here/$1"; then
    cat -- "$here/$1"
    return 0
  fi
  awk -v services="${services%/*}" '{ print }
    /^ *- [^ ]?--kube-subnet-mgr[^ ]? *$/ { sub(/[^ ]?--kube-subnet-mgr.*/, "--iface-can-reach=" services); print }' "$here/$1"
}

# Applies $work/manifest. Objects of a kind that the manifest itself defines can be applied only when the API server
# knows that kind.
apply_manifest() {
  tries=0
  until kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f "$work/manifest" >"$work/applied" 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -eq 10 ] || ! grep -q 'no matches for kind' "$work/applied"; then return 1; fi
    sleep 2
  done
}

# Applies all add-ons. With --bridge-network it skips pod networks, because a cluster can have only one.
apply_addons() {
  : >"$work/workloads"
  [ "$addons" = yes ] || return 0
  [ -n "${services:-}" ] || services=$(cluster_services)
  package_list addons >"$work/addons"
  while IFS=$tab read -r name manifest network; do
    case $bridge_network:$network in
      no:* | yes:- | yes:) ;;
      *) continue ;;
    esac
    require_listed "$manifest"
    addon_manifest "$manifest" >"$work/manifest"
    apply_manifest || {
      lines <"$work/applied" >&2
      fail "the add-on $name was not applied; fix the cause, then run the same command again"
    }
    say "applied $name"
    workloads_of "$work/manifest" >>"$work/workloads"
  done <"$work/addons"
}

# Prints the namespace, kind and name of each workload of a manifest.
workloads_of() {
  kube get -f "$1" --no-headers -o custom-columns=S:.metadata.namespace,K:.kind,N:.metadata.name |
    awk '$2 == "DaemonSet" || $2 == "Deployment" || $2 == "StatefulSet" { print $1, tolower($2), $3 }'
}
