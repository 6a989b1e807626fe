# Leaves a cluster, and removes what kubeadm reset does not.

# What the add-ons that packer knows leave behind: files of the pod network, programs, and network devices.
network_leftovers() {
  cat <<'TEXT'
file /etc/cni/net.d/10-flannel.conflist
file /etc/cni/net.d/10-calico.conflist
file /etc/cni/net.d/calico-kubeconfig
file /etc/cni/net.d/05-cilium.conflist
file /opt/cni/bin/flannel
file /opt/cni/bin/calico
file /opt/cni/bin/calico-ipam
file /opt/cni/bin/cilium-cni
folder /run/flannel
folder /var/run/calico
device cni0
device flannel.1
device flannel-v6.1
device vxlan.calico
device cilium_host
device cilium_vxlan
device kube-ipvs0
device nodelocaldns
TEXT
}

# Prints commands of nft that remove the rules of kube-proxy, the kubelet and flannel. Reads `nft -a list ruleset`.
nft_removals() {
  awk '
    $1 == "table" { family = $2; table = $3; if (table == "kube-proxy") print "delete table " family " " table; next }
    table == "kube-proxy" { next }
    $1 == "chain" { chain = $2; if (ours(chain)) { print "flush chain " family " " table " " chain; chains[++n] = family " " table " " chain }; next }
    ours(chain) { next }
    {
      for (i = 1; i < NF; i++) if (($i == "jump" || $i == "goto") && ours($(i + 1)) && $(NF - 1) == "handle")
        print "delete rule " family " " table " " chain " handle " $NF
    }
    END { for (i = 1; i <= n; i++) print "delete chain " chains[i] }
    function ours(name) { return name ~ /^(KUBE|FLANNEL|CNI)-/ }'
}

# Prints input of iptables-restore --noflush that does the same. Reads iptables-save.
iptables_removals() {
  awk '
    /^\*/ { print; n = 0; next }
    /^:(KUBE|FLANNEL|CNI)-/ { name = substr($1, 2); chains[++n] = name; print "-F " name; next }
    /^-A (KUBE|FLANNEL|CNI)-/ { next }
    /^-A .* -[jg] (KUBE|FLANNEL|CNI)-/ { sub(/^-A/, "-D"); print; next }
    /^COMMIT/ { for (i = 1; i <= n; i++) print "-X " chains[i]; print }'
}

clear_rules() {
  if command -v nft >/dev/null 2>&1; then
    nft -a list ruleset 2>/dev/null | nft_removals >"$work/rules"
    [ ! -s "$work/rules" ] || nft -f "$work/rules" >/dev/null 2>&1 || complain 'note: some rules of kube-proxy could not be removed with nft; the next boot removes them'
  fi
  for program in iptables ip6tables; do
    command -v "$program-save" >/dev/null 2>&1 || continue
    "$program-save" 2>/dev/null | iptables_removals >"$work/rules"
    grep '^-' "$work/rules" >/dev/null || continue
    "$program-restore" --noflush <"$work/rules" >/dev/null 2>&1 ||
      complain "note: some rules of kube-proxy could not be removed with $program; the next boot removes them"
  done
}

clear_network() {
  network_leftovers | while read -r kind name; do
    case $kind in
      file) [ ! -f "$name" ] || is_own "$name" || rm -f -- "$name" ;;
      folder) rm -rf -- "$name" ;;
      device)
        [ -e "/sys/class/net/$name" ] || continue
        ip link delete "$name" </dev/null 2>/dev/null || complain "note: the network device $name could not be removed; the next boot removes it"
        ;;
    esac
  done
  clear_rules
  for file in /etc/cni/net.d/*; do
    if [ -f "$file" ] && ! has_record "$file"; then say "stays  $file, which keel did not install"; fi
  done
}

# Leaves the cluster. A mark stays until everything is removed, so that the next run continues one that was cut off.
leave_cluster() {
  kubeadm=/usr/local/bin/kubeadm
  [ -x "$kubeadm" ] || kubeadm=$(command -v kubeadm) || fail 'kubeadm is not installed, so this machine cannot leave the cluster; nothing was changed'
  : >"$state/leaving"
  if in_cluster; then
    say 'leaving the cluster: kubeadm reset'
    "$kubeadm" reset --force --cri-socket "unix://${address:-/run/containerd/containerd.sock}" </dev/null >"$work/reset" 2>&1 || {
      tail -n 15 "$work/reset" | lines >&2
      fail 'kubeadm reset failed; nothing else was changed. Fix the cause, then run this again'
    }
  fi
  clear_etcd initialising
  clear_etcd joining
  clear_network
  for folder in /etc/kubernetes/pki /etc/kubernetes/tmp /etc/kubernetes/manifests /var/lib/etcd /var/lib/kubelet /var/lib/cni/networks /var/lib/cni; do
    rmdir -- "$folder" 2>/dev/null || :
  done
  rm -f -- "$state/leaving"
}
