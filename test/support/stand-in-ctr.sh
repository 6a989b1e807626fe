#!/bin/sh
# In place of ctr: it keeps in $KEEL_TEST_STATE what it is told. images has NAME DIGEST TYPE, pinned has names, calls has
# each line that it was run with. $KEEL_TEST_CTR tells how it fails:
#   absent    no containerd answers
#   broken    it imports nothing, as the disk is full
#   full NAME the disk is full when this image is imported, of which the name stays
#   silent    it imports nothing, and says that it did
#   killed    the process that holds the lock is killed while the first image is imported
#   old       it is a ctr without options of import
set -eu
cd -- "$KEEL_TEST_STATE"
printf '%s\n' "$*" >>calls
touch images pinned
mode=${KEEL_TEST_CTR%% *}
while [ $# -gt 0 ]; do
  case $1 in
    --address | --connect-timeout | -n) shift 2 ;;
    *) break ;;
  esac
done

# Takes NAME DIGEST TYPE from the table of a layout or an archive.
rows_of() {
  case $1 in
    *RepoTags*)
      printf '%s\n' "$1" | sed 's/.*"Config":"\([0-9a-f]*\)[^[]*"RepoTags":\["\([^"]*\)".*/\2 sha256:\1 docker/'
      ;;
    *)
      printf '%s\n' "$1" | sed 's/{"mediaType"/\
&/g' | sed -n 's/.*"mediaType":"\([^"]*\)","digest":"\([^"]*\)".*"io.containerd.image.name":"\([^"]*\)".*/\3 \2 \1/p'
      ;;
  esac
}

keep() {
  while IFS=' ' read -r name digest type; do
    sed -i "\\|^$name |d" images
    printf '%s %s %s\n' "$name" "$digest" "$type" >>images
    if [ "$KEEL_TEST_CTR" = "full $name" ]; then
      cat >/dev/null
      echo "ctr: write /var/lib/containerd/blob: no space left on device" >&2
      exit 1
    fi
  done
}

take() {
  case $mode in
    broken)
      [ "$1" != - ] || cat >/dev/null
      echo 'ctr: write /var/lib/containerd/blob: no space left on device' >&2
      return 1
      ;;
    silent)
      [ "$1" != - ] || cat >/dev/null
      return 0
      ;;
    killed)
      IFS=' ' read -r holder _ <"$KEEL_TEST_LOCK"
      kill -9 "$holder"
      ;;
  esac
  if [ "$1" = - ]; then rows_of "$(tar -xOf - ./index.json)" | keep
  else rows_of "$(tar -xOf "$1" manifest.json)" | keep; fi
}

case "$*" in
  version) [ "$mode" != absent ] ;;
  'images import --help') [ "$mode" = old ] || printf '   --local\n   --sync-fs\n' ;;
  'images import '*)
    while [ $# -gt 1 ]; do shift; done
    take "$1"
    ;;
  'images ls -q') cut -d ' ' -f 1 images ;;
  'images ls -q labels'*) cat pinned ;;
  'images check')
    echo 'REF TYPE DIGEST STATUS SIZE UNPACKED'
    awk -v "full=${KEEL_TEST_CTR#full }" '{ print $1, $3, $2, "complete (2/2) 1 B/1 B", ($1 == full ? "false" : "true") }' images
    ;;
  'images label '*)
    sed -i "\\|^$3\$|d" pinned
    case $4 in *=pinned) printf '%s\n' "$3" >>pinned ;; esac
    ;;
  'images rm '*)
    shift 2
    for name in "$@"; do sed -i "\\|^$name |d" images; done
    ;;
  'content get '*) echo "{\"config\":{\"digest\":\"$3\"}}" ;;
  'leases '*) ;;
  *)
    echo "ctr: unknown: $*" >&2
    exit 1
    ;;
esac
