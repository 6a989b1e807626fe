#!/bin/sh
# Holds the disk of a machine as long as its standard input is open, in namespaces of its own, so that nothing is left of
# it whatever becomes of the test. "start" boots the machine, "kill" cuts its power.
# Usage: unshare --mount --net --propagation private hold.sh FOLDER NAME HIDDEN LAN, where HIDDEN are paths below
# /usr that this machine has not, and LAN is a folder to show as /srv/lan, or empty
set -eu
disk=$1
name=$2
hidden=$3
lan=$4
here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)

mount -t tmpfs -o mode=0755 keel-machine "$disk"
mkdir "$disk/root" "$disk/upper" "$disk/work" "$disk/local" "$disk/cgroups" "$disk/boot"
root=$disk/root

# The machine's cgroups, wherever this host keeps its own.
mount -t cgroup2 none "$disk/cgroups"
group=$disk/cgroups/${disk##*/}
mkdir "$group"

running=
power_off() {
  [ -n "$running" ] || return 0
  kill -KILL "$running" 2>/dev/null || :
  { wait "$running" || :; } 2>/dev/null
  running=
  # The kernel takes the processes of a namespace away one by one. As long as one of them is there, it holds its locks.
  tries=0
  until grep -qx 'populated 0' "$group/cgroup.events" || [ "$tries" -eq 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
  done
}
finish() {
  trap '' HUP INT TERM EXIT
  power_off
  tries=0
  until find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || [ "$tries" -eq 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  cd /
  umount -l "$disk"
  rmdir -- "$disk"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# Programs are this host's, below a layer of the machine's own. What the host has in /usr/local is not there.
mkdir "$root/usr"
mount -t overlay -o "lowerdir=/usr,upperdir=$disk/upper,workdir=$disk/work" keel-machine "$root/usr"
for path in $hidden; do rm -rf -- "$root/usr/${path:?}"; done
for folder in bin etc games include lib sbin share src; do mkdir "$disk/local/$folder"; done
mkdir -p "$root/usr/local" "$root/usr/lib/modules"
mount --bind "$disk/local" "$root/usr/local"

for link in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$link" ]; then ln -s "$(readlink -- "/$link")" "$root/$link"; fi
done
for folder in boot dev etc home media mnt opt proc root run srv sys tmp \
  var var/cache var/lib var/log var/spool var/tmp; do mkdir "$root/$folder"; done
chmod 0700 "$root/root"
chmod 1777 "$root/tmp" "$root/var/tmp"
ln -s ../run "$root/var/run"
ln -s ../run/lock "$root/var/lock"

for entry in alternatives bash.bashrc bindresvport.blacklist debian_version ethertypes group gshadow host.conf iproute2 \
  ld.so.cache ld.so.conf ld.so.conf.d libaudit.conf localtime login.defs nsswitch.conf os-release pam.conf pam.d passwd \
  profile protocols rpc security services shadow shells timezone xattr.conf; do
  if [ -e "/etc/$entry" ] || [ -L "/etc/$entry" ]; then cp -a -- "/etc/$entry" "$root/etc/$entry"; fi
done
# As Debian's installer leaves them.
mkdir "$root/etc/sysctl.d" "$root/etc/modules-load.d"
echo '#net.ipv4.ip_forward=1' >"$root/etc/sysctl.conf"
ln -s ../sysctl.conf "$root/etc/sysctl.d/99-sysctl.conf"
printf '%s\n' "$name" >"$root/etc/hostname"
printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n' "$name" >"$root/etc/hosts"
: >"$root/etc/fstab"
echo 'nameserver 10.99.0.254' >"$root/etc/resolv.conf"
mkdir "$root/srv/lan"
[ -z "$lan" ] || mount --bind "$lan" "$root/srv/lan"
od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$root/etc/machine-id"
cp -R -- "$here/etc/." "$root/etc"
# What asks for a kernel or a terminal of one's own, or takes its time.
while read -r unit; do ln -s /dev/null "$root/etc/systemd/system/$unit"; done <"$here/masked-units"
# systemd remakes caches where /usr is newer.
touch "$root/etc/.updated" "$root/var/.updated"

# A machine has a kernel of its own: what it knows of modules and swap is told by these.
for program in modprobe swapoff swapon; do
  rm -f -- "$root/usr/sbin/$program"
  cp -- "$here/sbin/$program.sh" "$root/usr/sbin/$program"
done

echo held
while read -r word; do
  case $word in
    start)
      power_off
      rm -f -- "$disk/pid"
      ip link delete machine 2>/dev/null || :
      # systemd takes empty groups away with its own.
      mkdir -p "$group/exec"
      setpriv --pdeathsig KILL unshare --fork --kill-child --pid --mount --uts --ipc --net --propagation private \
        sh "$here/boot.sh" join "$disk" "$group" $$ </dev/null >"$disk/console" 2>&1 &
      running=$!
      ;;
    kill) power_off ;;
  esac
  echo "$word"
done
