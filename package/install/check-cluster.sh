# Checks for the remains of other clusters and of other software.

# Prints the first name in a folder, or nothing.
# shellcheck disable=SC2012 # a name that is odd is no name of etcd's
content_of() { ls -A -- "$machine$1" 2>/dev/null | head -n 1; }

cluster_rows() {
  if [ "$member" = yes ]; then
    case $action in
      check) row WARN 'this machine is part of a cluster already' './install.sh --uninstall --reset, if it should leave that cluster' ;;
    esac
    return 0
  fi
  left=
  for file in "$machine"/etc/kubernetes/*.conf "$machine"/etc/kubernetes/manifests/*.yaml "$machine"/etc/kubernetes/pki/ca.crt; do
    [ -e "$file" ] || continue
    # The user may have copied the certificates of the cluster to a further control plane.
    case $action:$role:$file in
      join:control-plane:*/pki/ca.crt) continue ;;
      # kubeadm looks for its own names only: other manifests may give the control plane an address, as kube-vip does.
      *:control-plane:*/manifests/kube-apiserver.yaml | *:control-plane:*/manifests/kube-controller-manager.yaml | \
        *:control-plane:*/manifests/kube-scheduler.yaml | *:control-plane:*/manifests/etcd.yaml) ;;
      *:control-plane:*/manifests/*)
        row WARN "${file#"$machine"} is a pod that the kubelet will start; kubeadm reset, also before a second attempt, removes it" 'keep a copy of it'
        continue
        ;;
    esac
    left="$left ${file#"$machine"}"
  done
  if [ -n "$left" ]; then row FAIL "files of another cluster remain:$left" 'kubeadm reset --force'
  else row ok '/etc/kubernetes contains no files of another cluster'; fi
  if [ "$role" = control-plane ]; then
    if [ -d "$machine/var/lib/etcd" ] && [ ! -r "$machine/var/lib/etcd" ]; then
      row WARN '/var/lib/etcd exists but cannot be read, so install.sh cannot check whether it is empty' 'run this as root'
    elif [ -n "$(content_of /var/lib/etcd)" ]; then
      row FAIL "/var/lib/etcd is not empty: $(content_of /var/lib/etcd)" 'kubeadm reset --force, or: mv /var/lib/etcd /var/lib/etcd.before'
    fi
  fi
  for file in "$machine"/etc/cni/net.d/*.conf "$machine"/etc/cni/net.d/*.conflist; do
    case ${file##*/} in
      '*'* | 10-bridge.conflist | 10-flannel.conflist) ;;
      *) row WARN "${file#"$machine"} configures another pod network, and containerd uses the first file by name" "mv ${file#"$machine"} ${file#"$machine"}.before" ;;
    esac
  done
}

replaces_configuration() {
  case ${plan-} in *"$tab/etc/containerd/config.toml$newline"*) ! is_kept /etc/containerd/config.toml ;; *) return 1 ;; esac
}

runtime_rows() {
  # Docker's package turns off the CRI plugin that the kubelet uses. install.sh replaces that configuration, unless a
  # person changed it since.
  if ! replaces_configuration && text_of /etc/containerd/config.toml |
    grep -Eq "^[[:space:]]*disabled_plugins[[:space:]]*=.*[\"'](io\.containerd\.grpc\.v1\.)?cri[\"']"; then
    row FAIL '/etc/containerd/config.toml disables "cri", which the kubelet needs; packages of Docker do this' 'mv /etc/containerd/config.toml /etc/containerd/config.toml.before'
  fi
  if [ -e "$machine/usr/bin/containerd" ]; then
    row WARN '/usr/bin/containerd is from another package; the service will run the one from this package' 'apt-get remove containerd containerd.io, if nothing else needs it'
  fi
  if [ -S "$machine/run/docker.sock" ] || [ -e "$machine/usr/bin/dockerd" ]; then
    row WARN 'Docker is installed; it shares the containerd service, and its containers stop briefly when that service is replaced' 'remove Docker if nothing needs it'
  fi
  for socket in run/crio/crio.sock run/cri-dockerd.sock; do
    if [ -S "$machine/$socket" ]; then
      row WARN "/$socket belongs to another runtime, and kubeadm does not choose between two" "in a configuration of your own, set criSocket: unix:///run/containerd/containerd.sock"
    fi
  done
}
