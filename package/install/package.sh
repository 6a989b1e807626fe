# The package: whether it is complete, and what it states about itself.

listed_names() { sed 's/^[0-9a-f]* [ *]//; s|^\./||' "$here/SHA256SUMS"; }

# A file that is not in the list does not come from packer, so it is not installed.
refuse_unlisted() {
  fail "$1 is not in SHA256SUMS, so packer did not create it; nothing was changed"
}
require_listed() {
  # grep reads each line as a pattern of its own.
  case $1 in *"$newline"*) refuse_unlisted "$1" ;; esac
  listed_names | grep -Fqx -- "$1" || refuse_unlisted "$1"
}

# Fails unless every listed file is there and unchanged, and the folders of the package contain nothing else.
verify_package() {
  # Packages have no links: a link would make a file elsewhere look verified.
  for folder in SHA256SUMS install kubernetes runtime images; do
    [ -e "$here/$folder" ] || [ -L "$here/$folder" ] || continue
    odd=$(cd -- "$here" && find "$folder" ! -type f ! -type d 2>&1 | head -n 1)
    [ -z "$odd" ] || fail "$odd is neither a file nor a folder; nothing was changed. Unpack the package again"
  done

  # sha256sum skips lines that it cannot read, and reads files at any path in a line.
  odd=$(grep -Evn '^[0-9a-f]{64} [ *][^/[:cntrl:]\][^[:cntrl:]\]*$' "$here/SHA256SUMS" | sed -n '1s/:.*//p')
  # sha256sum reads standard input for "-".
  [ -n "$odd" ] || odd=$(listed_names | grep -En '(^|/)\.\.(/|$)|^-$' | sed -n '1s/:.*//p')
  [ -z "$odd" ] || fail "line $odd of SHA256SUMS is not for a file of this package; nothing was changed. Copy or unpack the package again"

  odd=$(listed_names | sort | uniq -d | head -n 1)
  [ -z "$odd" ] || fail "SHA256SUMS lists $odd twice; nothing was changed. Copy or unpack the package again"
  # Reading a pipe or a device would never end.
  odd=$(listed_names | while IFS= read -r name; do
    if [ -e "$here/$name" ] && [ ! -f "$here/$name" ]; then printf '%s\n' "$name"; fi
  done | head -n 1)
  [ -z "$odd" ] || fail "$odd is not a file; nothing was changed. Unpack the package again"

  if ! bad=$(cd -- "$here" && sha256sum -c SHA256SUMS 2>&1 </dev/null); then
    printf '%s\n' "$bad" | grep -v ': OK$' | lines >&2 || :
    fail 'the package is damaged; nothing was changed. Copy or unpack it again'
  fi
  say "verified $(grep -c . "$here/SHA256SUMS") files"

  for folder in install kubernetes runtime images; do
    [ -d "$here/$folder" ] || continue
    odd=$({ listed_names && listed_names && (cd -- "$here" && find "$folder" -type f 2>&1); } | sort | uniq -u | head -n 1)
    [ -z "$odd" ] || refuse_unlisted "$odd"
  done
}

# Prints one of the lists that packer wrote, or nothing if the package has none.
package_list() {
  [ -e "$here/install/$1" ] || return 0
  require_listed "install/$1"
  cat -- "$here/install/$1"
}

# Prints the value that packer recorded under a name: KUBERNETES_VERSION, ARCH, PAUSE_IMAGE, KUBE_APISERVER_IMAGE and
# similar, CONTAINERD_VERSION, and IMAGES_SIZE in bytes.
fact() { package_list package.env | sed -n "s/^$1=//p" | head -n 1; }

require_architecture() {
  arch=$(fact ARCH)
  case $(uname -m) in
    x86_64) own_arch=amd64 ;;
    aarch64 | arm64) own_arch=arm64 ;;
    *) own_arch=$(uname -m) ;;
  esac
  if [ -n "$arch" ] && [ "$arch" != "$own_arch" ]; then
    [ -n "$root" ] || fail "this package is for $arch, but this machine is $own_arch"
    say "note: the package is for $arch, but this machine is $own_arch"
  fi
}
