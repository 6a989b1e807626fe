#!/bin/sh
# Tries what a machine needs, in namespaces that end with it; says on standard error what this host refuses.
set -eu
[ -L /bin ] || { echo 'its programs are not all below /usr' >&2; exit 1; }
[ -x /lib/systemd/systemd ] || { echo 'no /lib/systemd/systemd' >&2; exit 1; }
folder=$(mktemp -d)
trap 'umount -R -l "$folder" 2>/dev/null; rmdir "$folder"' EXIT
mount -t tmpfs keel-probe "$folder"
mkdir "$folder/cgroups" "$folder/upper" "$folder/work" "$folder/usr" "$folder/proc"
mount -t cgroup2 none "$folder/cgroups"
# By $$ all of them have the name keel-probe-1, and of several at once some would be refused.
rmdir "$(mktemp -d "$folder/cgroups/keel-probe-XXXXXX")"
mount -t overlay -o "lowerdir=/usr,upperdir=$folder/upper,workdir=$folder/work" keel-probe "$folder/usr"
mount -t proc proc "$folder/proc"
mount --bind "$folder/proc/sys/net" "$folder/proc/sys/net"
echo 0 >"$folder/proc/sys/net/ipv4/ip_forward"
mknod "$folder/null" c 1 3
: >"$folder/null"
unshare --cgroup true
