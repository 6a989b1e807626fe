# Checks of the network, without using it.

# Prints the ports on which a program listens.
taken_ports() {
  { text_of /proc/net/tcp && text_of /proc/net/tcp6; } | awk '$4 == "0A" { sub(/.*:/, "", $2); print $2 }'
}

port_rows() {
  if [ "$member" = yes ]; then return 0; fi
  ports='10250 kubelet'
  [ "$role" = worker ] || ports="6443 kube-apiserver 2379 etcd 2380 etcd 10250 kubelet 10257 kube-controller-manager 10259 kube-scheduler"
  taken=" $(taken_ports | tr '\n' ' ') "
  free=
  # shellcheck disable=SC2086 # words are what it is split into
  set -- $ports
  while [ $# -gt 0 ]; do
    case $taken in
      *" $(printf %04X "$1") "*) row FAIL "port $1, which $2 needs, is in use" "find the process that uses it and stop it: ss -ltnp 'sport = :$1'" ;;
      *) free="$free $1" ;;
    esac
    shift 2
  done
  if [ -n "$free" ]; then row ok "free ports:$free"; fi
}

host_rows() {
  name=$(text_of /proc/sys/kernel/hostname)
  lower=$(printf '%s' "$name" | tr '[:upper:]' '[:lower:]')
  if ! printf '%s\n' "$lower" | grep -Eq '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'; then
    row FAIL "the host name \"$name\" is not valid for a node: it may contain letters, digits, \"-\" and \".\"" 'hostnamectl set-hostname NAME'
    return 0
  fi
  if [ "${#name}" -gt 63 ]; then
    row FAIL "the host name $name is longer than 63 characters, the limit for a node label" 'hostnamectl set-hostname NAME'
    return 0
  fi
  case $lower in
    localhost | localhost.*) row WARN "the host name is $name, the default of machines without a name; in a cluster each machine needs its own" 'hostnamectl set-hostname NAME' ;;
    "$name") row ok "the host name is $name; no other machine of the cluster may use it" ;;
    *) row WARN "the host name $name has capitals; the node will be called $lower" "hostnamectl set-hostname $lower" ;;
  esac
  # awk reads a backslash in a value as the start of an escape; the name contains none.
  if ! text_of /etc/hosts | awk -v name="$lower" '
    { sub(/#.*/, ""); for (i = 2; i <= NF; i++) if (tolower($i) == name) found = 1 }
    END { exit !found }'; then
    row WARN "/etc/hosts does not contain $name, so kubeadm waits for a name server that may not have it either" "echo '127.0.1.1 $name' >>/etc/hosts"
  fi
}

has_default_route() {
  {
    text_of /proc/net/route | awk '$2 == "00000000" && $8 == "00000000" && $1 != "lo"'
    text_of /proc/net/ipv6_route | awk '$1 ~ /^0*$/ && $2 == "00" && $10 != "lo"'
  } | grep -q .
}

# Without a default route, kubeadm finds no address, and the machine has no route to the Services of the cluster. A
# machine of a cluster has both.
route_rows() {
  case $action:$member in init:* | join:* | *:yes) return 0 ;; esac
  if has_default_route; then row ok 'there is a default route'
  else row WARN 'there is no default route; --init and --join work without one, kubeadm on its own does not' 'ip route add default via GATEWAY, if you run kubeadm yourself'; fi
}

# The address that --init and --join would find.
address_rows() {
  [ "$action" = check ] || return 0
  if told=$( (find_address && printf '%s' "$node_address") 2>&1); then row ok "other machines reach this one at $told"
  else row FAIL "${told#install.sh: }" 'see: ip addr'; fi
}

# CoreDNS asks the DNS servers of the machine for names outside the cluster.
resolver_rows() {
  file=/etc/resolv.conf
  # kubeadm makes the kubelet read this file instead of the one with the address of systemd-resolved.
  [ ! -e "$machine/run/systemd/resolve/resolv.conf" ] || file=/run/systemd/resolve/resolv.conf
  if [ ! -f "$machine$file" ]; then
    row FAIL '/etc/resolv.conf is missing; without it no pod starts' "echo 'nameserver IP' >/etc/resolv.conf"
    return 0
  fi
  servers=$(text_of "$file" | sed -n 's/^[[:space:]]*nameserver[[:space:]][[:space:]]*//p' | tr '\n' ' ')
  case " $servers" in
    *' 127.'* | *' ::1'*) row FAIL "$file contains a name server on this machine itself (${servers% }): CoreDNS would query itself, and stop with \"Loop detected\"" "write the address of the real name server there" ;;
    ' ') row WARN "$file contains no name server, so CoreDNS resolves no names outside the cluster, and some versions do not start" "echo 'nameserver IP' >>/etc/resolv.conf, with any address of the network" ;;
    *) row ok "name servers: ${servers% }" ;;
  esac
}

# kubeadm passes these to the API server, which would then reach webhooks and machines of the cluster through the proxy.
proxy_rows() {
  if [ -n "${HTTPS_PROXY-}${https_proxy-}${HTTP_PROXY-}${http_proxy-}" ]; then
    row WARN 'a proxy is set in the environment, and kubeadm passes it to the control plane' 'if you run kubeadm yourself (--init and --join ignore the proxy): unset HTTPS_PROXY HTTP_PROXY https_proxy http_proxy'
  fi
}

# Takes the services of running firewalls.
firewall_rows() {
  ports='10250 8472/udp'
  [ "$role" = worker ] || ports="6443 2379 2380 $ports"
  for service in $1; do
    case $service in
      firewalld) mend="firewall-cmd --permanent --zone=trusted --add-source=NETWORK for the machines, the pods and the Services; firewall-cmd --reload" ;;
      ufw) mend='ufw allow from NETWORK, for the machines, the pods and the Services' ;;
      *) mend="systemctl disable --now $service" ;;
    esac
    row WARN "the firewall $service runs; machines and pods must reach each other, at $ports and other ports" "$mend"
  done
}
