#!/bin/sh
# Installs Kubernetes from this folder, without a network. Run it with --help.
set -eu
umask 022
LC_ALL=C
export LC_ALL

usage() {
  cat <<'TEXT'
Installs Kubernetes from this package, without a network.

Usage: ./install.sh [options]

  --dry-run         show what would be done, and change nothing
  --root DIR        install into DIR, such as the tree of a machine image; no service is touched there
  --address SOCKET  containerd's socket, for the import of images
                    (default /run/containerd/containerd.sock; with --root images are imported only when it is given)
  --skip-images     place files, but import no images
  --pin-all         keep the kubelet from removing any of the images, not only the pause image
  --bridge-network  also install a bridge network for a cluster of one node, in place of flannel or the like
  --help            show this text

It verifies the package, places programs in /usr/local/bin and /opt/cni/bin and configuration in /etc, starts
containerd, enables the kubelet, and imports the images. A second run changes only what differs. When a step
fails, the files that were there before come back. A file of yours that it replaces is kept as NAME.before-keel.
TEXT
}

# What the package and the machine say is data of others, and a terminal obeys more than ASCII's control characters:
# nothing but printable ASCII is shown, and a line stays one line.
lines() { tr -c '\011\012\040-\176' '?'; }
line() { printf '%s' "$*" | tr -c '\040-\176' '?' && echo; }
say() { line "$*"; }
complain() { line "install.sh: $*" >&2; }
fail() {
  complain "$*"
  exit 1
}

dry_run=no
root=
address=
skip_images=no
pin_all=no
bridge_network=no

while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry_run=yes ;;
    --root | --address)
      if [ $# -lt 2 ] || [ -z "$2" ]; then fail "$1 needs a value; see --help"; fi
      if [ "$1" = --root ]; then root=$2; else address=$2; fi
      shift
      ;;
    --root=?*) root=${1#--root=} ;;
    --address=?*) address=${1#--address=} ;;
    --skip-images) skip_images=yes ;;
    --pin-all) pin_all=yes ;;
    --bridge-network) bridge_network=yes ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) fail "unknown option: $1; see --help" ;;
  esac
  shift
done

here=$(CDPATH='' cd -P -- "$(dirname -- "$0")" && pwd -P)
if [ -n "$root" ]; then
  [ -d "$root" ] || fail "--root $root: there is no such folder"
  root=$(CDPATH='' cd -P -- "$root" && pwd -P)
  [ "$root" != / ] || root=
fi
newline='
'
tab=$(printf '\t')
case $root in *"$newline"* | *"$tab"*) fail "--root $root: the name of this folder has lines or tabs" ;; esac
me=$(id -u)
my_group=$(id -g)
[ "$dry_run" = yes ] || [ -n "$root" ] || [ "$me" -eq 0 ] || fail 'run it as root, or with --dry-run or --root DIR'

# --- verify ---------------------------------------------------------------------------------------------------------

command -v sha256sum >/dev/null 2>&1 || fail 'sha256sum is missing on this machine; it is part of coreutils and busybox'
[ -f "$here/SHA256SUMS" ] || fail "$here/SHA256SUMS is missing; unpack the whole package"

# Packages have no links: one would make what lies elsewhere look verified.
for folder in SHA256SUMS kubernetes runtime images; do
  [ -e "$here/$folder" ] || [ -L "$here/$folder" ] || continue
  odd=$(cd -- "$here" && find "$folder" ! -type f ! -type d 2>&1 | head -n 1)
  [ -z "$odd" ] || fail "$odd is neither a file nor a folder; nothing was changed. Unpack the package again"
done

# sha256sum skips lines that it cannot read, and reads files wherever a line leads.
[ "$(tr -d '\000' <"$here/SHA256SUMS" | wc -c)" -eq "$(wc -c <"$here/SHA256SUMS")" ] ||
  fail 'SHA256SUMS is not text; nothing was changed. Copy or unpack it again'
listed_names() { sed 's/^[0-9a-f]* [ *]//; s|^\./||' "$here/SHA256SUMS"; }
odd=$(grep -Evn '^[0-9a-f]{64} [ *][^/[:cntrl:]\][^[:cntrl:]\]*$' "$here/SHA256SUMS" | sed -n '1s/:.*//p')
# Standard input is what sha256sum reads for "-".
[ -n "$odd" ] || odd=$(listed_names | grep -En '(^|/)\.\.(/|$)|^-$' | sed -n '1s/:.*//p')
[ -z "$odd" ] || fail "line $odd of SHA256SUMS names no file of this package; nothing was changed. Copy or unpack it again"

odd=$(listed_names | sort | uniq -d | head -n 1)
[ -z "$odd" ] || fail "SHA256SUMS names $odd twice; nothing was changed. Copy or unpack it again"
# A pipe or a device would be read without end.
odd=$(listed_names | while IFS= read -r name; do
  if [ -e "$here/$name" ] && [ ! -f "$here/$name" ]; then printf '%s\n' "$name"; fi
done | head -n 1)
[ -z "$odd" ] || fail "$odd is not a file; nothing was changed. Unpack the package again"

if ! bad=$(cd -- "$here" && sha256sum -c SHA256SUMS 2>&1 </dev/null); then
  printf '%s\n' "$bad" | grep -v ': OK$' | lines >&2 || :
  fail 'the package is damaged; nothing was changed. Copy or unpack it again'
fi
say "verified $(grep -c . "$here/SHA256SUMS") files"

# What is not in the list was not made by the packer, so it is not installed.
refuse_unlisted() {
  fail "$1 is not in SHA256SUMS, so the packer did not make it; nothing was changed"
}
require_listed() {
  # To grep, lines are patterns of their own.
  case $1 in *"$newline"*) refuse_unlisted "$1" ;; esac
  listed_names | grep -Fqx -- "$1" || refuse_unlisted "$1"
}
if [ -d "$here/images" ]; then
  odd=$({ listed_names && listed_names && (cd -- "$here" && find images -type f 2>&1); } | sort | uniq -u | head -n 1)
  [ -z "$odd" ] || refuse_unlisted "$odd"
fi

[ ! -e "$here/kubernetes/conf/package.env" ] || require_listed kubernetes/conf/package.env
setting() { sed -n "s/^$1=//p" "$here/kubernetes/conf/package.env" 2>/dev/null | head -n 1; }
arch=$(setting ARCH)
pause_image=$(setting PAUSE_IMAGE)

case $(uname -m) in
  x86_64) machine=amd64 ;;
  aarch64 | arm64) machine=arm64 ;;
  *) machine=$(uname -m) ;;
esac
if [ -n "$arch" ] && [ "$arch" != "$machine" ]; then
  [ -n "$root" ] || fail "this package is for $arch, this machine is $machine"
  say "note: the package is for $arch, this machine is $machine"
fi

# --- what goes where --------------------------------------------------------------------------------------------------

plan=

# Adds one file: mode, path in the package, path on the machine.
want() {
  [ -f "$here/$2" ] || return 0
  require_listed "$2"
  case $2 in *[!\ -~]*) fail "$2 has a name that is not of ASCII; nothing was changed" ;; esac
  plan="$plan$1$tab$2$tab$3
"
}

# Adds all programs of a folder. A file that cannot be run, such as a licence, stays where it is.
want_programs() {
  for file in "$here/$1"/*; do
    if [ -f "$file" ] && [ -x "$file" ]; then want 0755 "$1/${file##*/}" "$2/${file##*/}"; fi
  done
}

want_programs kubernetes/bin /usr/local/bin
want_programs kubernetes/cni /opt/cni/bin
want_programs runtime/containerd/bin /usr/local/bin
want 0644 runtime/containerd/conf/crictl.yaml /etc/crictl.yaml
want 0644 kubernetes/conf/sysctl.conf /etc/sysctl.d/99-keel-kubernetes.conf
want 0644 kubernetes/conf/modules.conf /etc/modules-load.d/keel-kubernetes.conf
if [ -f "$here/runtime/containerd/bin/containerd" ]; then
  want 0644 runtime/containerd/conf/config.toml /etc/containerd/config.toml
  want 0644 runtime/containerd/conf/containerd.service /etc/systemd/system/containerd.service
fi
if [ -f "$here/kubernetes/bin/kubelet" ]; then
  want 0644 kubernetes/conf/kubelet.service /etc/systemd/system/kubelet.service
  want 0644 kubernetes/conf/10-kubeadm.conf /etc/systemd/system/kubelet.service.d/10-kubeadm.conf
fi
if [ "$bridge_network" = yes ]; then
  want 0644 kubernetes/conf/cni/10-bridge.conflist /etc/cni/net.d/10-bridge.conflist
fi

# --- whose the places are ---------------------------------------------------------------------------------------------

# Who owns a program or unit, or may write to a folder on the way to it, can exchange it after it was placed. An access
# list that lets anybody write shows in the bits of the group.

command -v stat >/dev/null 2>&1 || fail 'stat is missing on this machine; it is part of coreutils and busybox'
# Who made the tree that --root names can change all of it: to name it was the choice of who runs this.
maker=$me
[ -z "$root" ] || maker=$(stat -c %u -- "$root")

has_access_list() { case $(ls -ld -- "$1") in ??????????+*) return 0 ;; *) return 1 ;; esac; }

# Prints how someone else could change a folder, or nothing.
others_may() {
  stat -c '%u %g %a %G' -- "$1" 2>/dev/null | {
    read -r owner group mode group_name || { say 'stat cannot tell who owns it'; exit 0; }
    case $owner in
      0 | "$me" | "$maker") ;;
      *) say "user $owner owns it" ;;
    esac
    if [ $((0$mode & 02)) -ne 0 ]; then say 'everybody may write to it'; fi
    if [ $((0$mode & 020)) -ne 0 ]; then
      case $group:$group_name in
        # Debian's installer gave /usr/local to this group, whose members can become root by it anyway.
        # https://www.debian.org/doc/debian-policy/ch-opersys.html#site-specific-programs
        50:staff) ;;
        # The private group of the owner, as where umask is 002, unless an access list names others.
        "$owner":*) if has_access_list "$1"; then say 'its access list may let others write to it'; fi ;;
        *) if [ "$me" -eq 0 ] || [ "$group" != "$my_group" ]; then say "group $group may write to it"; fi ;;
      esac
    fi
  } | head -n 1
}

# Fails where a folder or one above it, up to the root, is nobody's to install into. What is not there yet is fine.
require_safe_folder() {
  if [ "$1" != "${root:-/}" ] && [ "$1" != / ]; then
    (require_safe_folder "$(dirname -- "$1")") || exit 1
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then return 0; fi
  fi
  [ -d "$1" ] || fail "$1 is not a folder; it should be one"
  if [ -L "$1" ]; then
    # A link in the tree of a machine image may point to this machine's own /etc.
    inside=$(CDPATH='' cd -P -- "$1" && pwd -P)
    case $inside/ in
      "$root"/*) ;;
      *) fail "$1 leads to $inside, which is outside of $root" ;;
    esac
    # Who may change a link that this one leads to decides where it ends.
    target=$(readlink -- "$1")
    case $target in /*) ;; *) target=$(dirname -- "$1")/$target ;; esac
    require_safe_folder "$target"
    return 0
  fi
  why=$(others_may "$1")
  [ -z "$why" ] || fail "$1 is not safe: $why, and so could change what is installed; mend it with chown or chmod go-w"
}

printf '%s' "$plan" | while IFS=$tab read -r _ _ to; do dirname -- "$root$to"; done | sort -u |
  while IFS= read -r folder; do require_safe_folder "$folder"; done

is_same() {
  [ -f "$2" ] && [ ! -L "$2" ] && cmp -s -- "$1" "$2" || return 1
  case $(stat -c '%a %u' -- "$2") in "${3#0} 0" | "${3#0} $me") ;; *) return 1 ;; esac
}

# Fails where something else than a file is at the place of one: to keep a pipe or a device would be to read it.
# Takes the place, the file that belongs there, and its mode.
require_file_place() {
  [ ! -d "$1" ] || fail "$1 is a folder; it should be a file"
  [ -e "$1" ] || [ -L "$1" ] || return 0
  [ -f "$1" ] || [ -L "$1" ] || fail "$1 is neither a file nor a link; remove it first"
  # It could not be put back as it was.
  if [ "$me" -ne 0 ] && [ "$(stat -c %u -- "$1")" != "$me" ] && ! is_same "$2" "$1" "$3"; then
    fail "$1 belongs to someone else; only root can replace it"
  fi
}

printf '%s' "$plan" | while IFS=$tab read -r mode from to; do
  require_file_place "$root$to" "$here/$from" "$mode"
done

wants_images=no
if [ "$skip_images" = no ] && [ -f "$here/images/index.json" ]; then
  if [ -z "$root" ] || [ -n "$address" ]; then wants_images=yes; fi
fi
address=${address:-/run/containerd/containerd.sock}

image_names() {
  grep -o '"io.containerd.image.name":[[:space:]]*"[^"]*"' "$here/images/index.json" | sed 's/.*"\([^"]*\)"$/\1/' | sort -u
}
if [ "$wants_images" = yes ]; then
  # To ctr, a name that begins with a dash is an option.
  odd=$({ image_names && printf '%s\n' "$pause_image"; } | grep -Ev '^([0-9A-Za-z][0-9A-Za-z._:/@-]*)?$' | head -n 1)
  [ -z "$odd" ] || fail "$odd is no name of an image; nothing was changed"
fi

if [ "$dry_run" = yes ]; then
  printf '%s' "$plan" | while IFS=$tab read -r mode from to; do
    if is_same "$here/$from" "$root$to" "$mode"; then
      say "unchanged  $root$to"
      continue
    fi
    if [ -e "$root$to" ] || [ -L "$root$to" ]; then say "replace    $root$to"
    else say "place      $root$to"; fi
  done
  if [ -z "$root" ]; then say 'then start containerd and enable the kubelet'; fi
  if [ "$wants_images" = yes ]; then image_names | sed 's/^/import     /'; fi
  say 'nothing was changed'
  exit 0
fi

# --- place, and take back on failure ----------------------------------------------------------------------------------

backup=
is_done=no
services_touched=no
containerd_was=unknown

# The journal has a line for each change, newest last: "made PATH" for a folder, "new PATH" or "old NUMBER PATH".
take_back() {
  if [ ! -s "$backup/journal" ] && [ "$services_touched" = no ]; then return 0; fi
  complain 'a step failed; putting back what was there'
  sed -n '1!G;h;$p' "$backup/journal" | while IFS= read -r line; do
    rest=${line#* }
    case $line in
      made\ *) rmdir -- "$rest" 2>/dev/null || : ;;
      new\ *) rm -f -- "$rest" ;;
      old\ *) mv -f -- "$backup/${rest%% *}" "${rest#* }" ;;
    esac
  done
  if [ "$services_touched" = yes ]; then
    systemctl daemon-reload || :
    if [ "$containerd_was" = active ]; then systemctl restart containerd || :
    else systemctl disable --now containerd >/dev/null 2>&1 || :; fi
  fi
  complain 'the files are as they were before; images that were imported stay, they harm nobody'
}

finish() {
  status=$?
  trap - EXIT
  trap '' HUP INT TERM
  if [ -n "$backup" ]; then
    if [ "$is_done" = no ]; then
      [ "$status" -ne 0 ] || status=1
      take_back
    fi
    rm -rf -- "$backup"
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' HUP INT TERM

backup=$(mktemp -d "${TMPDIR:-/var/tmp}/keel-install.XXXXXX")
: >"$backup/journal"

make_folder() {
  [ ! -d "$1" ] || return 0
  make_folder_parent=$(dirname -- "$1")
  (make_folder "$make_folder_parent")
  # The mode binds access lists that the folder above hands down; umask does not.
  mkdir -m 0755 -- "$1"
  printf 'made %s\n' "$1" >>"$backup/journal"
}

# Gives the first of NAME, NAME.2, NAME.3 and so on that is free.
free_name() {
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then
    printf '%s\n' "$1"
    return 0
  fi
  next=2
  while [ -e "$1.$next" ] || [ -L "$1.$next" ]; do next=$((next + 1)); done
  printf '%s\n' "$1.$next"
}

number=0
changed=0
place() {
  folder=$(dirname -- "$3")
  make_folder "$folder"
  ! is_same "$2" "$3" "$1" || return 0
  rm -f -- "$3.keel-new"
  cp -- "$2" "$3.keel-new" || { rm -f -- "$3.keel-new"; fail "$3 cannot be written"; }
  chmod "$1" "$3.keel-new"
  if [ -e "$3" ] || [ -L "$3" ]; then
    number=$((number + 1))
    cp -P -p -- "$3" "$backup/$number"
    case $3 in
      "$root"/etc/*)
        kept=$(free_name "$3.before-keel")
        printf 'new %s\n' "$kept" >>"$backup/journal"
        cp -P -p -- "$3" "$kept"
        say "kept   $kept"
        ;;
    esac
    printf 'old %s %s\n' "$number" "$3" >>"$backup/journal"
  else
    printf 'new %s\n' "$3" >>"$backup/journal"
  fi
  mv -f -- "$3.keel-new" "$3"
  changed=$((changed + 1))
  say "placed $3"
}

printf '%s' "$plan" >"$backup/plan"
while IFS=$tab read -r mode from to; do
  place "$mode" "$here/$from" "$root$to"
done <"$backup/plan"
say "$changed files placed, $(($(grep -c . "$backup/plan") - changed)) were right already"

# --- services ---------------------------------------------------------------------------------------------------------

if [ -z "$root" ]; then
  if command -v systemctl >/dev/null 2>&1; then
    containerd_was=$(systemctl is-active containerd 2>/dev/null || :)
    services_touched=yes
    systemctl daemon-reload
    [ ! -f "$here/kubernetes/conf/modules.conf" ] || while IFS= read -r module; do
      modprobe -- "$module" 2>/dev/null || complain "note: the module $module was not loaded"
    done <"$here/kubernetes/conf/modules.conf"
    sysctl -q -p /etc/sysctl.d/99-keel-kubernetes.conf >/dev/null 2>&1 || complain 'note: not every kernel setting could be set'
    if [ -f /etc/systemd/system/containerd.service ]; then
      systemctl enable containerd
      if [ "$containerd_was" != active ] || [ "$changed" -gt 0 ]; then systemctl restart containerd; fi
    fi
    if [ -f /etc/systemd/system/kubelet.service ]; then systemctl enable kubelet; fi
  else
    complain 'note: there is no systemd here; start containerd yourself'
  fi
fi

# --- images -----------------------------------------------------------------------------------------------------------

# Of a tree that is not this machine nothing is run but what the package has placed there.
ctr_program=ctr
if [ -z "$root" ] && [ -x /usr/local/bin/ctr ]; then ctr_program=/usr/local/bin/ctr; fi
case $plan in *"$tab/usr/local/bin/ctr$newline"*) ctr_program=$root/usr/local/bin/ctr ;; esac
run_ctr() { "$ctr_program" --address "$address" -n k8s.io "$@"; }

wait_for_containerd() {
  tries=0
  until run_ctr version >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || fail "containerd does not answer at $address; see: journalctl -u containerd"
    sleep 1
  done
}

# Tells which images are not there, one a line.
missing_images() {
  run_ctr images ls -q >"$backup/there" 2>/dev/null || :
  image_names | while IFS= read -r name; do
    grep -Fqx -- "$name" "$backup/there" || printf '%s\n' "$name"
  done
}

import_images() { tar -C "$here/images" -cf - . | run_ctr images import "$@" - >"$backup/import" 2>&1; }

if [ "$wants_images" = yes ]; then
  wait_for_containerd
  say 'importing images'
  if ! import_images || [ -n "$(missing_images)" ]; then
    # Some containerd 2.x import through a service that does not show what it imported.
    cp -- "$backup/import" "$backup/import-first"
    if ! import_images --local || [ -n "$(missing_images)" ]; then
      cat -- "$backup/import-first" "$backup/import" | lines >&2
      fail "not imported: $(missing_images | tr '\n' ' ')"
    fi
  fi
  if [ "$pin_all" = yes ]; then image_names >"$backup/pin"; else printf '%s\n' "$pause_image" >"$backup/pin"; fi
  while IFS= read -r name; do
    [ -n "$name" ] || continue
    run_ctr images label "$name" io.cri-containerd.pinned=pinned >/dev/null 2>&1 ||
      complain "note: $name could not be pinned, so the kubelet may remove it when the disk is full"
  done <"$backup/pin"
  say "$(image_names | grep -c .) images are there"
elif [ -f "$here/images/index.json" ]; then
  say 'images were not imported'
fi

is_done=yes
say 'done'
