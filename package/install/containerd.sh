# The images that containerd has, read and changed with its ctr.

DEFAULT_ADDRESS=/run/containerd/containerd.sock
run_ctr() { "$ctr_program" --address "${address:-$DEFAULT_ADDRESS}" -n k8s.io "$@"; }

# From a tree that is not this machine, install.sh runs only programs that the package placed there.
find_ctr() {
  ctr_program=ctr
  if [ -z "$root" ] && [ -x /usr/local/bin/ctr ]; then ctr_program=/usr/local/bin/ctr; fi
  case ${plan-} in
    *"$tab/usr/local/bin/ctr$newline"*)
      if [ -x "$root/usr/local/bin/ctr" ]; then ctr_program=$root/usr/local/bin/ctr; fi
      ;;
  esac
}

containerd_answers() {
  "$ctr_program" --connect-timeout 2s --address "${address:-$DEFAULT_ADDRESS}" version >/dev/null 2>&1
}

# Returns whether containerd answers. Fails where it should and does not.
containerd_is_ready() {
  find_ctr
  command -v -- "$ctr_program" >/dev/null 2>&1 ||
    fail 'ctr is missing on this machine and in the package, so the images cannot be imported; install containerd, or skip the images with --skip-images'
  tries=0
  until containerd_answers; do
    if [ "$address_given" = no ] && ! systemd_runs; then return 1; fi
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || fail "containerd does not answer at $address; see: journalctl -u containerd"
    sleep 1
  done
}

# Prints the name, digest and media type of each image that is complete and unpacked.
whole_images() {
  run_ctr images check 2>/dev/null | awk '$4 == "complete" && $NF == "true" { print $1 "\t" $3 "\t" $2 }'
}

# Removes images and their unpacked files. CRI gives each image a second name, which would keep these files.
remove_images() {
  ids=$({ printf '%s\n' "$@" && echo && run_ctr images check 2>/dev/null; } | awk '
    NF == 0 { named = 1; next }
    !named { doomed[$1]; next }
    $1 in doomed { digests[$3]; next }
    /^sha256:/ { id[$1] = $3; next }
    { kept[$3] }
    END { for (name in id) if (id[name] in digests && !(id[name] in kept)) print name }')
  # shellcheck disable=SC2086 # words of hexadecimal digits
  run_ctr images rm "$@" $ids >/dev/null 2>&1 || return 1
  # Deleting a lease with --sync waits until containerd has collected everything without a name.
  run_ctr leases create --id keel >/dev/null 2>&1 || :
  run_ctr leases delete --sync keel >/dev/null 2>&1 || return 1
  remove_ingests
}

# Removes partly written blobs of failed imports. If such a part is still being written when containerd collects
# garbage, containerd forgets it, and it stays on the disk. Those of imports are named tar-…, in a folder for their
# namespace.
remove_ingests() {
  store=$(run_ctr plugins ls -d id==content 2>/dev/null | awk '$1 == "root" { print $2; exit }')
  [ -d "$store/ingest" ] || return 0
  active=$(run_ctr content active 2>/dev/null) || return 0
  for folder in "$store"/ingest/*; do
    ref=$(cat -- "$folder/ref" 2>/dev/null) || continue
    case $ref in k8s.io/*/tar-*) ;; *) continue ;; esac
    case $active in *"${ref#k8s.io/*/}"*) ;; *) rm -rf -- "$folder" ;; esac
  done
}

# The kubelet removes images that are not pinned when the disk is full; without a network they do not come back.
set_pin() { run_ctr images label "$1" "io.cri-containerd.pinned=$2" >/dev/null 2>&1; }
pinned_images() { run_ctr images ls -q 'labels."io.cri-containerd.pinned"==pinned' 2>/dev/null; }
