# The configuration of kubeadm, from the contents of the package.

# Prints the repository and the tag of a packed image of Kubernetes, such as kube-apiserver. Of its names in the
# package, packer recorded the upstream one. It stays the same in the next package, from whichever mirror that is
# packed.
packed_image() {
  { fact "$(printf '%s' "$1" | tr 'a-z-' 'A-Z_')_IMAGE" && image_names; } |
    sed -n "s|^\(.*\)/$1:\([^:/@]*\)\$|\1 \2|p" | head -n 1
}

# Prints the pod network that the add-ons of the package expect, or nothing.
pod_network() {
  [ "$bridge_network" = no ] || { echo 10.244.0.0/24; return; }
  package_list addons | cut -f 3 | grep -v '^-\{0,1\}$' | head -n 1 || :
}

# kubeadm reads v1beta4 from 1.31, and v1beta3 until 1.36.
api_version() { if [ "$(minor_of "$version")" -ge 31 ]; then echo v1beta4; else echo v1beta3; fi; }

# Prints the arguments of the kubelet in the form of this version of the configuration.
kubelet_arguments() {
  if [ "$(api_version)" = v1beta4 ]; then printf '  kubeletExtraArgs:\n  - name: node-ip\n    value: "%s"\n' "$node_address"
  else printf '  kubeletExtraArgs:\n    node-ip: "%s"\n' "$node_address"; fi
}

# Prints how the machine is registered. If the images were imported, nothing is pulled.
registration() {
  printf 'nodeRegistration:\n  criSocket: unix://%s\n' "$address"
  if [ "$wants_images" = yes ]; then echo '  imagePullPolicy: Never'; else echo '  imagePullPolicy: IfNotPresent'; fi
  kubelet_arguments
}

# Slow machines need longer than the four minutes that kubeadm waits for the control plane.
timeouts() {
  [ "$(api_version)" = v1beta4 ] || return 0
  printf 'timeouts:\n  controlPlaneComponentHealthCheck: 10m0s\n  kubernetesAPICall: 3m0s\n'
}

# Prints the setting for an image whose repository or tag kubeadm of this version does not expect. Takes kubeadm's own
# list.
odd_image() {
  image=$(packed_image "$1")
  [ -n "$image" ] || return 0
  printf '%s\n' "$2" | grep -Fqx -- "${image% *}/$1:${image#* }" && return 0
  printf '%simageRepository: %s\n' "$3" "${image% *}"
  case $2 in *"/$1:${image#* }"*) ;; *) printf '%simageTag: %s\n' "$3" "${image#* }" ;; esac
}

# Prints the configuration of the first machine of a cluster.
init_configuration() {
  core=$(packed_image kube-apiserver)
  repository=${core% *}
  repository=${repository:-registry.k8s.io}
  expected=$(kubeadm config images list --kubernetes-version "v$version" --image-repository "$repository" 2>/dev/null || :)
  cat <<YAML
# Written by install.sh from the contents of the package.
apiVersion: kubeadm.k8s.io/$(api_version)
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: $node_address
$(registration)
$([ "$bridge_network" = no ] || echo '  taints: []')
$(timeouts)
---
apiVersion: kubeadm.k8s.io/$(api_version)
kind: ClusterConfiguration
kubernetesVersion: v$version
# An address of its own lets more control planes join later.
controlPlaneEndpoint: $node_address:6443
$([ "$repository" = registry.k8s.io ] || echo "imageRepository: $repository")
$(etcd_image=$(odd_image etcd "$expected" '    ') && [ -z "$etcd_image" ] || printf 'etcd:\n  local:\n%s\n' "$etcd_image")
$(dns_image=$(odd_image coredns "$expected" '  ') && [ -z "$dns_image" ] || printf 'dns:\n%s\n' "$dns_image")
networking:
  serviceSubnet: $default_services
$(network=$(pod_network) && [ -z "$network" ] || echo "  podSubnet: $network")
$([ "$(api_version)" = v1beta4 ] || printf 'apiServer:\n  timeoutForControlPlane: 10m0s\n')
YAML
}

# Prints the configuration of a further machine, from the parts of the line that --init printed.
join_configuration() {
  cat <<YAML
apiVersion: kubeadm.k8s.io/$(api_version)
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: "$join_endpoint"
    token: "$join_token"
    caCertHashes:
$(for hash in $join_hashes; do printf '    - "%s"\n' "$hash"; done)
$(registration)
$(timeouts)
YAML
  [ "$join_control_plane" = yes ] || return 0
  printf 'controlPlane:\n  localAPIEndpoint:\n    advertiseAddress: "%s"\n' "$node_address"
  [ -z "$join_key" ] || printf '  certificateKey: "%s"\n' "$join_key"
}

# Prints the network of Services that a configuration names, or kubeadm's own.
services_of() {
  found=$(sed -n 's/^ *serviceSubnet: *["'\'']\{0,1\}\([0-9./]*\).*/\1/p' | head -n 1)
  echo "${found:-$default_services}"
}

# Sets $settings to the cluster configuration that kubeadm stored. Returns whether the API server answered.
ask_settings() { settings=$(cluster -n kube-system get configmap kubeadm-config -o 'jsonpath={.data.ClusterConfiguration}'); }

# Prints the network of Services of this machine's cluster. Without an answer it fails: with kubeadm's default instead,
# machines of a cluster with another network would not reach their Services.
cluster_services() {
  within 60 ask_settings || fail 'the API server does not answer, so the network of Services is unknown; run the same command again'
  printf '%s\n' "$settings" | services_of
}
