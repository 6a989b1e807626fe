# A copy of the files that kubeadm changes in place. kubeadm does not wait until they are on the disk, so a power cut during
# an upgrade can leave them empty, such as the certificate of the API server, and then the cluster does not come back.

kubeadm_files() {
  find /etc/kubernetes /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env -path /etc/kubernetes/tmp -prune -o -type f -print 2>/dev/null
}

# Returns whether a power cut left files of kubeadm empty.
has_empty_files() {
  [ -n "$(find /etc/kubernetes /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env -path /etc/kubernetes/tmp -prune -o -type f -size 0 -print 2>/dev/null)" ]
}

# Keeps a copy until forget_kubeadm_files. The copy of an unfinished run stays, because it has the files from before the
# power cut.
keep_kubeadm_files() {
  [ ! -e "$state/kubeadm.tar" ] || return 0
  kubeadm_files | sed 's,^/,,' >"$work/kubeadm-files"
  (umask 077 && tar -C / -cf "$state/kubeadm.tar.new" -T "$work/kubeadm-files") || fail "cannot copy /etc/kubernetes to $state; nothing was changed"
  mv -f -- "$state/kubeadm.tar.new" "$state/kubeadm.tar"
  sync
}

forget_kubeadm_files() {
  sync
  rm -f -- "$state/kubeadm.tar" "$state/kubeadm.tar.new"
}

# Returns whether an upgrade was cut off that left files of kubeadm empty.
has_cut_files() { [ -e "$state/kubeadm.tar" ] && has_empty_files; }

# Restores files that a power cut left empty. If one of them is a certificate or key, restores all certificates, because
# the other half of a renewed pair may be new. The authorities do not change during an upgrade, so the earlier
# certificates stay valid.
restore_kubeadm_files() {
  tar -tf "$state/kubeadm.tar" >"$work/kept"
  while IFS= read -r file; do
    [ -s "/$file" ] || printf '%s\n' "$file"
  done <"$work/kept" >"$work/empty"
  certificates=^etc/kubernetes/pki/
  {
    cat "$work/empty"
    ! grep -q "$certificates" "$work/empty" || grep "$certificates" "$work/kept"
  } | sort -u >"$work/put-back"
  [ -s "$work/put-back" ] || return 0
  say 'a power cut left files of kubeadm empty; restoring them from before the upgrade:'
  while IFS= read -r file; do say "  /$file"; done <"$work/put-back"
  tar -C / -xpf "$state/kubeadm.tar" -T "$work/put-back" || fail "cannot restore them; the copy is $state/kubeadm.tar"
  sync
}
