#!/bin/sh
# Installs Kubernetes from this folder, without a network. Run it with --help.
# shellcheck source-path=SCRIPTDIR
set -eu
umask 022
LC_ALL=C
export LC_ALL
# These variables change how GNU programs and systemctl read their options.
unset POSIXLY_CORRECT GREP_OPTIONS TAR_OPTIONS

stop() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}

# --- the programs that it runs, all looked for at once ------------------------------------------------------------------

# su keeps the path of a user, without the programs of the system, and sudo may leave out where kubeadm goes.
PATH=${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/sbin:/sbin
export PATH
missing=
packages=
for program in awk cat chmod chown cp cut date df dirname expr find grep head id ln ls mkdir mv readlink rm rmdir sed \
  sha256sum sleep sort stat sync tail tar touch tr uname uniq wc; do
  command -v "$program" >/dev/null 2>&1 && continue
  missing="$missing $program"
  case $program in
    awk) package=gawk ;;
    find) package=findutils ;;
    grep | sed | tar) package=$program ;;
    *) package=coreutils ;;
  esac
  case "$packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
done
[ -z "$missing" ] ||
  stop "not found on this machine:$missing; nothing was changed. Install$packages, or busybox with a link for each command"

here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)

# --- the library: read only if it matches SHA256SUMS --------------------------------------------------------------------

[ -f "$here/SHA256SUMS" ] || stop 'SHA256SUMS is missing; unpack the whole package'
[ "$(tr -d '\000' <"$here/SHA256SUMS" | wc -c)" -eq "$(wc -c <"$here/SHA256SUMS")" ] ||
  stop 'SHA256SUMS is not text; nothing was changed. Copy or unpack it again'
newline='
'
# Whole lines, so that sha256sum cannot take another file's sum for one of these.
sums=$(grep '^[0-9a-f]\{64\} [ *]install/[a-z-]*\.sh$' "$here/SHA256SUMS") || :
for name in text options package plan owners \
  check check-kernel check-modules check-programs check-network check-cluster check-kubeadm room \
  lock journal commands changes earlier links placing overrides \
  services containerd images \
  api-server address configuration kubeadm kubeadm-copy beginning init join addons rollout probes verify upgrade reset uninstall; do
  file=install/$name.sh
  if [ ! -f "$here/$file" ] || [ -L "$here/$file" ] || [ -L "$here/install" ]; then
    stop "$file is missing; unpack the whole package"
  fi
  case $sums$newline in *[\ *]"$file$newline"*) ;; *) stop "$file is not in SHA256SUMS; unpack the package again" ;; esac
done
printf '%s\n' "$sums" | (cd -- "$here" && sha256sum -c - >/dev/null 2>&1) ||
  stop 'the folder install is damaged; nothing was changed. Copy or unpack the package again'

. "$here/install/text.sh"
. "$here/install/options.sh"
. "$here/install/package.sh"
. "$here/install/plan.sh"
. "$here/install/owners.sh"
. "$here/install/check.sh"
. "$here/install/check-kernel.sh"
. "$here/install/check-modules.sh"
. "$here/install/check-programs.sh"
. "$here/install/check-network.sh"
. "$here/install/check-cluster.sh"
. "$here/install/check-kubeadm.sh"
. "$here/install/room.sh"
. "$here/install/lock.sh"
. "$here/install/journal.sh"
. "$here/install/commands.sh"
. "$here/install/changes.sh"
. "$here/install/earlier.sh"
. "$here/install/links.sh"
. "$here/install/placing.sh"
. "$here/install/overrides.sh"
. "$here/install/services.sh"
. "$here/install/containerd.sh"
. "$here/install/images.sh"
. "$here/install/api-server.sh"
. "$here/install/address.sh"
. "$here/install/configuration.sh"
. "$here/install/kubeadm.sh"
. "$here/install/kubeadm-copy.sh"
. "$here/install/beginning.sh"
. "$here/install/init.sh"
. "$here/install/join.sh"
. "$here/install/addons.sh"
. "$here/install/rollout.sh"
. "$here/install/probes.sh"
. "$here/install/verify.sh"
. "$here/install/upgrade.sh"
. "$here/install/reset.sh"
. "$here/install/uninstall.sh"

# --- the steps ----------------------------------------------------------------------------------------------------------

install_package() {
  begin_changes
  # shellcheck disable=SC2119 # of all parts
  place_files
  tell_overrides
  start_services
  import_images
  unpin_older_images
  commit
}

parse_options "$@"
case $action in init | join | upgrade | verify | uninstall) ignore_proxy ;; esac
verify_package
require_architecture
case $action in
  verify | uninstall) ;;
  *)
    case $action in
      init) prepare_init ;;
      join) prepare_join ;;
    esac
    read_plan
    case $action:$root in install: | init: | join:) refuse_plain_install ;; esac
    [ "$action" = check ] || require_safe_places
    read_images
    check_machine
    ;;
esac
if [ "$action" = check ]; then exit 0; fi
if [ "$dry_run" = yes ] && [ "$action" != uninstall ]; then
  tell_plan
  exit 0
fi
case $action in
  install)
    install_package
    say 'done'
    ;;
  init)
    install_package
    init_cluster
    ;;
  join)
    install_package
    join_cluster
    ;;
  upgrade) upgrade_machine ;;
  images-only) import_only ;;
  verify) verify_cluster ;;
  uninstall) uninstall ;;
esac
