#!/bin/sh
# Installs the programs that tests compare this project with: a real registry, and tools that read what it writes. Tests
# that need a missing one are skipped, so this prints which are missing; under CI a missing one is a failure.
# Usage: sh scripts/test-peers.sh [PROGRAM…], for further programs
set -u
besides=$*
# Where Debian puts servers; only root has it on the path.
export PATH="$PATH:/usr/sbin"

missing() {
  for program in docker-registry skopeo pigz shellcheck containerd podman busybox mksh yash python3 nginx squid $besides; do
    command -v "$program" >/dev/null 2>&1 || printf '%s ' "$program"
  done
  for named in setfacl:acl systemctl:systemd systemd-analyze:systemd runc:runc ip:iproute2 sysctl:procps chattr:e2fsprogs \
    setcap:libcap2-bin getcap:libcap2-bin; do
    command -v "${named%:*}" >/dev/null 2>&1 || printf '%s ' "${named#*:}"
  done
  /usr/bin/python3 -c 'import yaml' >/dev/null 2>&1 || printf 'python3-yaml '
}

wanted=$(missing)
[ -z "$wanted" ] && exit 0

as_root=unknown
if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif sudo -n true 2>/dev/null; then
  as_root="sudo -n"
fi
if [ "$as_root" != unknown ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing for the tests: $wanted"
  # Packages have the names of their programs, except for those above. The package lists may be old or missing, so a
  # first failure is retried.
  # shellcheck disable=SC2086
  install() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted; }
  install >/dev/null 2>&1 </dev/null || { $as_root apt-get update -qq && install; } >/dev/null </dev/null
  # Debian starts servers that it installs. The tests start their own, so those of Debian are stopped.
  for server in docker-registry nginx squid; do
    case " $wanted" in *" $server "*)
      $as_root systemctl disable --now "$server" >/dev/null 2>&1 || $as_root service "$server" stop >/dev/null 2>&1 ;;
    esac
  done
  wanted=$(missing)
  [ -z "$wanted" ] && exit 0
fi

echo "Not here, so the tests that need them cannot run: $wanted" >&2
echo "Install them yourself: apt-get install $wanted" >&2
[ "${CI:-}" = true ] && exit 1
exit 0
