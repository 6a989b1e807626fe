# Checks of programs that a cluster needs. install.sh looks for those that it needs itself when it starts.

# Prints the programs that this version of kubeadm looks for: whether a missing one is an error, and the package that
# contains it. https://github.com/kubernetes/kubernetes/blob/master/cmd/kubeadm/app/preflight/checks_linux.go
wanted_programs() {
  echo 'FAIL mount mount'
  # kubeadm does not need it since 1.33, but --init does.
  echo 'FAIL ip iproute2'
  if is_since 33; then
    echo 'FAIL losetup util-linux'
    echo 'FAIL cp coreutils'
    return 0
  fi
  # https://github.com/kubernetes/kubernetes/pull/129131
  echo 'FAIL iptables iptables'
  echo 'FAIL nsenter util-linux'
  echo 'WARN ethtool ethtool'
  echo 'WARN tc iproute2'
  echo 'WARN touch coreutils'
  # https://github.com/kubernetes/kubernetes/pull/126953
  if ! is_since 32; then echo 'FAIL conntrack conntrack'; fi
  if is_since 31; then return 0; fi
  # https://github.com/kubernetes/kubernetes/pull/127151
  echo 'WARN socat socat'
  echo 'WARN ebtables ebtables'
  # https://github.com/kubernetes/kubeadm/issues/3064
  if ! has_part crictl; then echo 'FAIL crictl cri-tools'; fi
}

program_rows() {
  wanted_programs | while read -r kind program package; do
    if command -v "$program" >/dev/null 2>&1; then row ok "$program is installed"
    else row "$kind" "the program $program is missing; a cluster of $kubernetes needs it" "$(installer) $package"; fi
  done
}

# Prints how this machine installs packages.
installer() {
  for manager in apt-get dnf yum zypper apk; do
    if command -v "$manager" >/dev/null 2>&1; then break; fi
  done
  case $manager in apk) echo 'apk add' ;; *) echo "$manager install" ;; esac
}

# Only systemd starts the services of a package.
init_rows() {
  first=$(text_of /proc/1/comm)
  if [ "$first" = systemd ]; then row ok 'systemd runs'
  else row FAIL "process 1 is ${first:-unknown}, not systemd, so nothing would start containerd and the kubelet" 'run install.sh on a machine that was started with systemd'; fi
}

# containerd and pods under SELinux need its rules for containers.
security_rows() {
  if [ "$(text_of /sys/fs/selinux/enforce)" = 1 ]; then
    if [ -e "$machine/usr/share/selinux/packages/container.pp.bz2" ] || [ -d "$machine/usr/share/containers/selinux" ]; then
      row ok 'SELinux is enforcing and has rules for containers'
    else row WARN 'SELinux is enforcing and has no rules for containers, so pods may be unable to read their files' 'dnf install container-selinux, or: setenforce 0, and SELINUX=permissive in /etc/selinux/config'; fi
  fi
}
