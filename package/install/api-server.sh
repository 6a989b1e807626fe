# Requests to the API server of the cluster, with the credentials of this machine.

is_member() { [ -e /etc/kubernetes/kubelet.conf ]; }
is_control_plane() { [ -e /etc/kubernetes/manifests/kube-apiserver.yaml ]; }

kube() { kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout 20s "$@"; }
kube_of_machine() { kubectl --kubeconfig /etc/kubernetes/kubelet.conf --request-timeout 20s "$@"; }
cluster() { if is_control_plane; then kube "$@"; else kube_of_machine "$@"; fi; }

api_answers() { [ -e /etc/kubernetes/admin.conf ] && kube get --raw /readyz >/dev/null; }

# Tries a command until it succeeds, for some seconds: an API server that is busy or starting answers a little later.
# Returns whether it succeeded, and prints why not. A failed request is no answer.
within() {
  limit=$1
  shift
  began=$(now)
  until "$@" 2>/dev/null; do
    if [ $(($(now) - began)) -ge "$limit" ]; then
      # Once more, for its message.
      "$@" 2>&1 | lines >&2
      return 1
    fi
    sleep 2
  done
}

# Prints what to do if the API server of this machine does not answer.
advice_on_silence() {
  if [ -e "$state/kubeadm.tar" ]; then
    echo 'an --upgrade of this machine did not finish: run it again, from the newer package'
  else
    echo 'see: journalctl -u kubelet; crictl ps -a'
  fi
}
