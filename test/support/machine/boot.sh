#!/bin/sh
# Boots a machine: what hold.sh runs as process 1 of new namespaces. Its last act is to become systemd.
# Usage: boot.sh join|boot DISK CGROUP HOLDER
set -eu
phase=$1
disk=$2
group=$3
holder=$4
root=$disk/root

if [ "$phase" = join ]; then
  # "self" of this host's /proc is the process as the host knows it.
  IFS=' ' read -r pid _ </proc/self/stat
  echo 0 >"$group/cgroup.procs"
  printf '%s\n' "$pid" >"$disk/pid.new"
  mv -f -- "$disk/pid.new" "$disk/pid"
  exec unshare --cgroup sh "$0" boot "$disk" "$group" "$holder"
fi

setting() { cat -- "$disk/boot/$1" 2>/dev/null || :; }

mount --rbind "$root" "$root"
mount -t tmpfs -o mode=0755,nosuid,nodev keel-run "$root/run"
mount -t tmpfs -o mode=1777 keel-tmp "$root/tmp"
mkdir -p "$root/run/lock" "$root/run/machine"

mount -t tmpfs -o mode=0755 keel-dev "$root/dev"
for device in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0'; do
  IFS=' ' read -r name major minor <<DEVICE
$device
DEVICE
  mknod -m 0666 "$root/dev/$name" c "$major" "$minor"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 keel-shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
for link in 'fd' 'stdin 0' 'stdout 1' 'stderr 2'; do
  case $link in
    fd) ln -s /proc/self/fd "$root/dev/fd" ;;
    *) ln -s "/proc/self/fd/${link#* }" "$root/dev/${link% *}" ;;
  esac
done

mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
proc=$root/proc
# The host's own settings are not for a test to change; those of the network are the machine's, and begin as a kernel's do.
mount --bind "$proc/sys" "$proc/sys"
mount --bind "$proc/sys/net" "$proc/sys/net"
mount -o remount,bind,ro "$proc/sys"
if [ -e "$proc/sysrq-trigger" ]; then mount --bind /dev/null "$proc/sysrq-trigger"; fi
echo 0 >"$proc/sys/net/ipv4/ip_forward"

# What the machine's kernel has not loaded yet has no settings; modprobe of the machine takes the cover off.
for cover in 'nf_conntrack netfilter' 'br_netfilter bridge'; do
  if [ -d "$proc/sys/net/${cover#* }" ]; then
    mount -t tmpfs -o ro,mode=0555 "keel-${cover% *}" "$proc/sys/net/${cover#* }"
  fi
done
: >"$root/run/machine/modules"
setting no-modules >"$root/run/machine/no-modules"
# It has modules as a distribution brings them, and says how it was built, whatever the host's kernel is.
release=$(uname -r)
mount -t tmpfs -o mode=0755 keel-modules "$root/usr/lib/modules"
mkdir "$root/usr/lib/modules/$release"
for module in overlay br_netfilter nf_conntrack vxlan; do
  grep -qx "$module" "$root/run/machine/no-modules" || echo "kernel/net/$module.ko:"
done >"$root/usr/lib/modules/$release/modules.dep"
for option in NAMESPACES NET_NS PID_NS IPC_NS UTS_NS CPUSETS MEMCG INET EXT4_FS PROC_FS FAIR_GROUP_SCHED CGROUPS \
  CGROUP_PIDS CGROUP_SCHED NETFILTER_XT_MATCH_COMMENT; do echo "CONFIG_$option=y"; done >"$root/boot/config-$release"
if [ -e "$proc/config.gz" ]; then mount --bind /dev/null "$proc/config.gz"; fi
setting swaps >"$root/run/machine/swaps"
for file in modules swaps; do
  if [ -e "$proc/$file" ]; then mount --bind "$root/run/machine/$file" "$proc/$file"; fi
done
# Who keeps something until the next boot asks for this.
cat /proc/sys/kernel/random/uuid >"$root/run/machine/boot-id"
mount --bind "$root/run/machine/boot-id" "$proc/sys/kernel/random/boot_id"
for file in meminfo cpuinfo; do
  if [ -f "$disk/boot/$file" ]; then mount --bind "$disk/boot/$file" "$proc/$file"; fi
done

mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
# Where this host has its controllers in cgroup v1, none is left for v2.
echo 'cpuset cpu io memory hugetlb pids' >"$root/run/machine/controllers"
mount --bind "$root/run/machine/controllers" "$root/sys/fs/cgroup/cgroup.controllers"

# The other end of the cable is in the holder's network namespace, which leads nowhere.
address=$(setting address)
if [ -n "$address" ]; then
  ip link add eth0 type veth peer name machine netns "/proc/$holder/ns/net"
  nsenter --net="/proc/$holder/ns/net" ip link set machine up
  ip address add "$address" dev eth0
  ip link set eth0 up
  gateway=$(setting gateway)
  [ -z "$gateway" ] || ip route add default via "$gateway" dev eth0
fi

cd "$root"
pivot_root . .
umount -l .
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin container=other /lib/systemd/systemd \
  --log-level=warning
