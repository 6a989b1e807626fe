# Checks of the kernel and of the hardware.

kernel_release() { text_of /proc/sys/kernel/osrelease; }

# The kubelet does not start with swap, unless its configuration allows it; kubeadm only warns about it.
swap_rows() {
  swaps=$(text_of /proc/swaps | sed -n '2,$s/[[:space:]].*//p' | tr '\n' ' ')
  if [ -z "$swaps" ]; then row ok 'swap is off'
  elif may_swap; then row ok "swap is on (${swaps% }), which the configuration allows"
  else row FAIL "swap is on (${swaps% }), and the kubelet does not start with swap on" 'swapoff -a'; fi
}

may_swap() { [ -n "$config" ] && grep -Eq '^[[:space:]]*failSwapOn:[[:space:]]*false' "$config" 2>/dev/null; }

# Swap that the next boot turns on again.
swap_at_boot_rows() {
  if may_swap; then return 0; fi
  text_of /etc/fstab | awk '$1 !~ /^#/ && $3 == "swap" && $4 !~ /noauto/ { print $1 }' |
    while IFS= read -r device; do
      row FAIL "/etc/fstab turns the swap $device on at each boot" "sed -i '/[[:space:]]swap[[:space:]]/s/^/#/' /etc/fstab"
    done
  # Units that people wrote, and those that systemd generates for a partition of the type swap.
  for unit in "$machine"/etc/systemd/system/*.swap "$machine"/run/systemd/generator.late/*.swap; do
    name=${unit##*/}
    if [ ! -f "$unit" ] || [ -L "$machine/etc/systemd/system/$name" ]; then continue; fi
    row FAIL "the unit $name turns swap on at each boot" "systemctl mask '$name'"
  done
  for name in dphys-swapfile zramswap zram-config zram-swap armbian-zram-config; do
    for unit in "$machine"/etc/systemd/system/*.wants/"$name".service; do
      if [ ! -e "$unit" ] && [ ! -L "$unit" ]; then continue; fi
      row FAIL "the service $name turns swap on at each boot" "systemctl disable --now $name"
    done
  done
  generated=$machine/etc/systemd/zram-generator.conf
  [ -e "$generated" ] || generated=$machine/usr/lib/systemd/zram-generator.conf
  if [ -s "$generated" ] && [ -e "$machine/usr/lib/systemd/system-generators/zram-generator" ]; then
    row FAIL 'zram-generator turns swap on at each boot' ': >/etc/systemd/zram-generator.conf'
  fi
}

# https://kubernetes.io/docs/concepts/architecture/cgroups/
cgroup_rows() {
  kind=$(text_of /proc/mounts | awk '$2 == "/sys/fs/cgroup" { print $3 }' | tail -n 1)
  case $kind in
    cgroup2)
      lacks=
      there=" $(text_of /sys/fs/cgroup/cgroup.controllers | tr '\n' ' ') "
      for controller in cpu cpuset memory pids; do
        case $there in *" $controller "*) ;; *) lacks="$lacks $controller" ;; esac
      done
      if [ -z "$lacks" ]; then row ok 'cgroup v2 has every controller that the kubelet needs'
      else
        row FAIL "cgroup v2 lacks$lacks" 'add cgroup_enable=memory to the kernel command line (/etc/default/grub, or cmdline.txt on a Raspberry Pi), then: reboot'
      fi
      ;;
    '') row FAIL 'no cgroups are mounted at /sys/fs/cgroup' 'start the machine with systemd' ;;
    *)
      mend='add systemd.unified_cgroup_hierarchy=1 to GRUB_CMDLINE_LINUX in /etc/default/grub, then: update-grub (or grub2-mkconfig -o /boot/grub2/grub.cfg) and reboot'
      if is_since 35; then row FAIL "this machine has cgroup v1, and the kubelet of $kubernetes requires cgroup v2" "$mend"
      else row WARN 'this machine has cgroup v1, which Kubernetes 1.35 and later refuse' "$mend"; fi
      ;;
  esac
}

# kubeadm reads how the kernel was built, and fails if it finds no such file.
# https://github.com/kubernetes/system-validators/blob/master/validators/types_unix.go
kernel_rows() {
  release=$(kernel_release)
  case $release in
    [0-4].* | 5.[0-3].*) row WARN "kernel $release is older than the kernels that kubeadm supports: 5.4, 5.10, 5.15, 6 and later" 'update the kernel, then: reboot' ;;
    *) row ok "kernel $release" ;;
  esac
  for built in /proc/config.gz "/boot/config-$release" "/usr/src/linux-$release/.config" /usr/src/linux/.config \
    "/usr/lib/modules/$release/config" "/usr/lib/ostree-boot/config-$release" "/usr/lib/kernel/config-$release" \
    "/usr/src/linux-headers-$release/.config" "/lib/modules/$release/build/.config"; do
    [ ! -f "$machine$built" ] || break
    built=
  done
  if [ -z "$built" ]; then
    if has_module configs "$release"; then return 0; fi
    row FAIL 'kubeadm finds no file with the build configuration of the kernel' "copy it to /boot/config-$release"
    return 0
  fi
  case $built in
    *.gz) options=$(zcat "$machine$built" 2>/dev/null) || return 0 ;;
    *) options=$(text_of "$built") ;;
  esac
  lacks=
  for option in NAMESPACES NET_NS PID_NS IPC_NS UTS_NS CPUSETS MEMCG INET EXT4_FS PROC_FS FAIR_GROUP_SCHED CGROUPS \
    CGROUP_PIDS CGROUP_SCHED NETFILTER_XT_MATCH_COMMENT; do
    case "$newline$options" in *"${newline}CONFIG_$option="[ym]*) ;; *) lacks="$lacks $option" ;; esac
  done
  if [ -n "$lacks" ]; then row FAIL "the kernel was built without$lacks, which kubeadm requires" 'install a kernel of the distribution, then: reboot'; fi
}

clock_rows() {
  minor=$(minor_of "$kubernetes")
  # There are three minor versions a year; the first of 2024 was 1.30.
  if [ -n "$minor" ] && [ "$minor" -ge 30 ] && [ "$1" -lt $((2024 + (minor - 30) / 3)) ]; then
    row FAIL "the clock shows the year $1, before Kubernetes $kubernetes existed: no certificate would be valid" "date -s 'YYYY-MM-DD HH:MM:SS'"
    return 0
  fi
  if [ "$2" = no ]; then
    row WARN 'no time server sets the clock; a machine whose clock is minutes off cannot join' 'set NTP= in /etc/systemd/timesyncd.conf, then: systemctl restart systemd-timesyncd'
  else row ok "the year is $1"; fi
}

# kubeadm requires 1700 MB and 2 processors, on control planes only.
size_rows() {
  [ "$role" = control-plane ] || return 0
  memory=$(text_of /proc/meminfo | sed -n 's/^MemTotal: *\([0-9]*\) kB.*/\1/p' | head -n 1)
  memory=$((${memory:-0} / 1024))
  if [ "$memory" -lt 1700 ]; then row FAIL "this machine has $memory MB of memory; a control plane needs 1700" 'add more, or make this machine a worker'
  else row ok "$memory MB of memory"; fi
  cores=$(text_of /proc/cpuinfo | grep -c '^processor' || :)
  if [ "$cores" -lt 2 ]; then row FAIL "this machine has $cores processor; a control plane needs 2" 'add more, or make this machine a worker'
  else row ok "$cores processors"; fi
}
