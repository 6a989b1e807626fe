# Runs of kubeadm: its output goes into a log, and the user sees its phases.

use_programs() {
  # On several distributions sudo does not search here.
  PATH=/usr/local/bin:$PATH
  export PATH
  version=$(fact KUBERNETES_VERSION)
  version=${version#v}
}

# kubeadm and kubectl would send requests to machines of the cluster through a proxy that does not know them, and
# kubeadm would pass the proxy to the control plane.
ignore_proxy() {
  [ -n "${HTTPS_PROXY-}${https_proxy-}${HTTP_PROXY-}${http_proxy-}" ] || return 0
  complain 'note: ignoring the proxy in the environment, because install.sh connects only to machines of the cluster'
  unset HTTPS_PROXY https_proxy HTTP_PROXY http_proxy
}

now() { date +%s; }

# Runs kubeadm with its options. Takes a log and the message to print first. Fails with the reason, as far as it is
# known.
run_kubeadm() {
  log=$1
  begun=$(now)
  note_change new "$log"
  say "$2; see $log"
  shift 2
  (umask 077 && : >"$log" && chmod 0600 "$log")
  phase=
  # The pipe would lose the exit status of kubeadm, so a file passes it on.
  { kubeadm "$@" </dev/null 2>&1 && rc=0 || rc=$?; echo "$rc" >"$work/kubeadm"; } |
    while IFS= read -r row; do
      printf '%s\n' "$row" >>"$log"
      case $row in "["[a-z]*"]"*) ;; *) continue ;; esac
      word=${row#?}
      word=${word%%]*}
      [ "$word" != "$phase" ] || continue
      phase=$word
      say "  $(($(now) - begun)) s  $phase"
    done
  [ "$(cat "$work/kubeadm")" = 0 ] && return 0
  tail -n 15 "$log" | lines >&2
  complain "kubeadm $1 failed after $(($(now) - begun)) s; its whole output is in $log"
  likely_reason "$1" "$log" | while IFS= read -r row; do complain "likely: $row"; done
  complain 'more: journalctl -u kubelet; crictl ps -a'
  return 1
}

# Fails if the mark of an unfinished run is old: the user may have completed it by hand long ago, and that cluster must
# stay.
refuse_old() {
  [ -n "$(find "$1" -mtime +0)" ] || return 0
  fail "an $2 that started more than a day ago did not finish. If this machine is in no cluster, run kubeadm reset --force and rm $1, then run this again; if it is in one, run rm $1"
}

# Prints the likely reasons in the logs of kubeadm and the kubelet, one a line. Takes what kubeadm did, such as init,
# and its log. A kubelet always reports servers that it cannot reach yet, so only kubeadm's log shows whether one is
# unreachable.
likely_reason() {
  {
    cat "$2"
    [ "$1" = join ] || journalctl -u kubelet -n 200 --no-pager -o cat 2>/dev/null | grep -Ev 'connection refused|no such host|i/o timeout' || :
  } >"$work/words"
  while IFS=$tab read -r pattern reason; do
    if grep -Eq -- "$pattern" "$work/words"; then printf '%s\n' "$reason"; fi
  done <<TEXT
running with swap on is not supported${tab}swap is on: run swapoff -a, and remove its line from /etc/fstab
not to run on a host using cgroup v1|cgroup v1 support${tab}this machine has cgroup v1, which this version refuses: boot with systemd.unified_cgroup_hierarchy=1
ERROR Port-${tab}another program uses a port that Kubernetes needs: find it with ss -ltnp
ERROR (FileAvailable|DirAvailable)${tab}files of another cluster remain: run kubeadm reset
ERROR (NumCPU|Mem)${tab}the machine is too small for a control plane: two cores and 1700 MB
ERROR CreateJob${tab}the cluster ran no pod within a minute; it may have only just started: wait until kubectl -n kube-system get pods shows all of them as Running
ERROR CRI${tab}containerd does not answer: journalctl -u containerd
no default routes found|bind address for the API Server${tab}the address of this machine is unknown: set --node-ip
[Cc]ertificate has expired or is not yet valid${tab}the clocks of the machines differ: set the time (date)
could not find a JWS signature${tab}the token is unknown or has expired after 24 hours: run ./install.sh --init on the first machine again to print a new line
(secret|Secret) .?kubeadm-certs.? (was )?not found|error downloading certs${tab}the certificate key has expired after 2 hours: run ./install.sh --init on the first machine again to print a new line
no such host|connection refused|no route to host|i/o timeout${tab}the API server cannot be reached: check that the first machine is on and that the address in the line is right
No space left on device|no space left on device${tab}the disk is full: df -h
TEXT
}
