# The address at which other machines reach this one, and its route to the Services of the cluster.

default_services=10.96.0.0/12

# Prints each address of this machine and its interface, without those that container networks created.
addresses() {
  ip -4 -o addr show up scope global 2>/dev/null | awk '
    { name = $2; sub(/@.*/, "", name); split($4, parts, "/") }
    name !~ /^(br-|cali|cilium|cni|docker|flannel|kube-|lxc|lxd|nerdctl|nodelocaldns|podman|tunl|veth|virbr|vxlan)/ {
      print parts[1], name
    }'
}

# Prints the part of "ip route" after a word, such as dev.
behind() { sed -n "s/.* $1 \([^ ]*\).*/\1/p" | head -n 1; }

list_addresses() { addresses | awk '{ printf "%s%s (%s)", sep, $1, $2; sep = ", " }'; }

# Sets $node_address and $node_interface: those of --node-ip, else those of the default route, else the only ones.
find_address() {
  command -v ip >/dev/null 2>&1 || fail 'ip is missing on this machine; install.sh and kubeadm need it. Install iproute2'
  if [ -n "$node_ip" ]; then
    case $node_ip in *[!0-9.]*) fail "--node-ip $node_ip is not an IPv4 address; for IPv6, write a kubeadm configuration and pass it with --config" ;; esac
    case $node_ip in
      127.* | 169.254.* | 0.*) fail "--node-ip $node_ip: kubeadm refuses addresses that other machines cannot reach; this machine has $(list_addresses)" ;;
    esac
    node_address=$node_ip
    node_interface=$(ip -4 -o addr show | awk -v ip="$node_ip" '{ split($4, parts, "/") } parts[1] == ip { sub(/@.*/, "", $2); print $2; exit }')
    [ -n "$node_interface" ] || fail "--node-ip $node_ip is not an address of this machine, which has $(list_addresses)"
    return 0
  fi
  if [ -n "$(ip -4 route show default 2>/dev/null)" ]; then
    # An address that is reserved for documentation. Nothing is sent to it.
    way=$(ip -4 route get 192.0.2.1 2>/dev/null | head -n 1)
    node_address=$(printf '%s\n' "$way" | behind src)
    node_interface=$(printf '%s\n' "$way" | behind dev)
    [ -z "$node_address" ] || return 0
  fi
  case $(addresses | awk '{ print $2 }' | sort -u | grep -c .) in
    0) fail 'this machine has no address at which others can reach it; configure one first (see: ip addr)' ;;
    1) ;;
    *) fail "this machine has no default route and several addresses, $(list_addresses); choose the one at which other machines reach it with --node-ip" ;;
  esac
  node_address=$(addresses | awk 'NR == 1 { print $1 }')
  node_interface=$(addresses | awk 'NR == 1 { print $2 }')
}

# Sets the same, from the user's kubeadm configuration if there is one. Then an address that cannot be found is no
# error.
find_own_address() {
  if [ -n "$config" ]; then
    [ -n "$node_ip" ] || node_ip=$(sed -n 's/^ *advertiseAddress: *"\{0,1\}\([0-9.]*\)"\{0,1\} *$/\1/p' "$config" | head -n 1)
    if ! (find_address) 2>/dev/null; then
      node_address=
      node_interface=
      return 0
    fi
  fi
  find_address
}

# Returns whether a network contains an address.
holds() {
  printf '%s/%s\n' "$1" "$2" | awk -F / '
    function number(text, parts) { split(text, parts, "."); return ((parts[1] * 256 + parts[2]) * 256 + parts[3]) * 256 + parts[4] }
    { size = 1; for (bit = $2; bit < 32; bit++) size *= 2; exit !(int(number($1) / size) == int(number($3) / size)) }'
}

# Records for --uninstall a change after the package was installed.
note_change() {
  row=$1$tab$2
  grep -Fqx -- "$row" "$state/undo" 2>/dev/null || printf '%s\n' "$row" >>"$state/undo"
}

# Makes this machine reach a network of Services through the interface to the other machines, now and after each boot.
#
# The kernel replaces the destination of packets to a Service on their way out, so it needs a route for them. Without a
# default route, pods in the host's network get "network is unreachable"; with one through another interface, their
# packets have the wrong source address.
keep_service_route() {
  services=$1
  [ -n "$node_interface" ] || return 0
  if [ "$(ip -4 route get "${services%/*}" 2>/dev/null | head -n 1 | behind dev)" = "$node_interface" ]; then return 0; fi
  unit=keel-service-route.service
  program=$(command -v ip)
  [ ! -e "/etc/systemd/system/$unit" ] || systemctl stop "$unit" || :
  note_change new "/etc/systemd/system/$unit"
  note_change enabled "$unit"
  note_change started "$unit"
  cat >"/etc/systemd/system/$unit" <<UNIT
[Unit]
Description=Route to the Services of the cluster, via the interface that connects its machines
After=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
# The address may come late.
ExecStart=/bin/sh -c 'n=0; until $program route replace $services dev $node_interface src $node_address metric 4096; do n=\$\$((n + 1)); [ \$\$n -lt 90 ] || exit 1; sleep 2; done'
ExecStop=-$program route del $services dev $node_interface metric 4096

[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
  systemctl enable "$unit" >/dev/null 2>&1
  systemctl restart "$unit" || fail "cannot set the route to $services; see: journalctl -u $unit"
  say "route  $services via $node_interface, kept by $unit, because no default route leads there"
}
