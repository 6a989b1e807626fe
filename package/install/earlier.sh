# Files of the installer of 1.0.0. It kept no record, so they would look like files of a person.

# Prints the checksums and places of its configuration.
earlier_files() {
  cat <<'TEXT'
547ad0a8081d853c58ef6c01d7cea3a409e347b009a0b1f534ecce1f4a1aac00	/etc/systemd/system/kubelet.service
5f71da255125f7f102af3a768c3f104e5d7649eff8501547eb20a01832bf92ae	/etc/systemd/system/kubelet.service.d/10-kubeadm.conf
c462ecb547eca60ce5b324067ffd73eca45d01229bb036ae7944916901592d42	/etc/sysctl.d/99-keel-kubernetes.conf
fcaf07413a456d658640930cef56ed4d13330123e3b522c481021613c64755e3	/etc/modules-load.d/keel-kubernetes.conf
c1ee1a64f19f5098920c2218523b9eac33b28292cf599a610f96e5d902687642	/etc/cni/net.d/10-bridge.conflist
e4bc4b28857ce4e06aa0fb87cf1908ab6c2326145ad3dc951b58e097b4d6c376	/etc/systemd/system/containerd.service
ad526395cca4db1e3ea166ddabbba23707829b104215d122f05f8e582cef9050	/etc/crictl.yaml
cddd4e2112d2833d2046cf0cc5705165598104403b9499eb487da0ebc25cb138	/etc/containerd/config.toml
c73858214ba35d89a59912b3dd5e546b476c90fa6cda8c2e8df5043372d1c61e	/etc/containerd/config.toml
TEXT
}

# Prints the checksum of a file; for config.toml, without the name of its pause image.
earlier_sum() {
  sed "s|^\(  sandbox_image = \"\).*\"\$|\1{{.PauseImage}}\"|; s|^\(  sandbox = '\).*'\$|\1{{.PauseImage}}'|" <"$root$1" |
    sha256sum | cut -d ' ' -f 1
}

is_earlier_configuration() {
  [ -f "$root$1" ] && [ ! -L "$root$1" ] && earlier_files | grep -Fx -- "$(earlier_sum "$1")$tab$1" >/dev/null
}

# Returns whether the file at a place is one that 1.0.0 installed. Its programs are recognised by the configuration that
# it installed with them.
is_earlier() {
  case $1 in
    /etc/*) is_earlier_configuration "$1" ;;
    *)
      [ ! -s "$state/files" ] && is_earlier_configuration /etc/modules-load.d/keel-kubernetes.conf &&
        is_earlier_configuration /etc/sysctl.d/99-keel-kubernetes.conf
      ;;
  esac
}
