#!/bin/sh
# Stands in for kmod's modprobe: a module is loaded until the machine is off. /proc/modules shows it where the host has that
# file, and the settings that come with it appear. Modules named in /run/machine/no-modules are not known.
record=/run/machine/modules
remove=no
for word; do
  case $word in
    -r | --remove) remove=yes ;;
    -*) ;;
    *) modules="${modules:-} $word" ;;
  esac
done
status=0
for module in ${modules:-}; do
  module=$(printf '%s' "$module" | tr - _)
  if grep -qx "$module" /run/machine/no-modules; then
    echo "modprobe: FATAL: Module $module not found in directory /lib/modules/$(uname -r)" >&2
    status=1
    continue
  fi
  if [ "$remove" = yes ]; then
    kept=$(grep -v "^$module " "$record")
    printf '%s\n' "$kept" | grep . >"$record"
    continue
  fi
  if grep -q "^$module " "$record"; then continue; fi
  echo "$module 16384 0 - Live 0x0000000000000000" >>"$record"
  case $module in
    nf_conntrack) settings=netfilter ;;
    br_netfilter) settings=bridge ;;
    *) continue ;;
  esac
  if grep -q " /proc/sys/net/$settings tmpfs " /proc/self/mounts; then
    # A unit may have mounts of its own; the machine's are those of process 1.
    nsenter --target 1 --mount umount "/proc/sys/net/$settings"
  fi
done
exit "$status"
