# Undoes what all runs recorded.

in_cluster() {
  for file in "$root"/etc/kubernetes/kubelet.conf "$root"/etc/kubernetes/admin.conf "$root"/etc/kubernetes/manifests/*.yaml; do
    [ ! -e "$file" ] || return 0
  done
  return 1
}

# Returns whether runs recorded changes, or an uninstallation was cut off after it undid the last one.
has_notes() { [ -s "$state/undo" ] || [ -s "$state/committed" ] || [ -s "$state/journal" ] || [ -e "$state/undone" ]; }

# Prints what install.sh would do.
tell_uninstall() {
  notes=$(cat -- "$state/undo" "$state/committed" "$state/journal" 2>/dev/null | sed -n '1!G;h;$p')
  if in_cluster && [ "$reset" = yes ]; then say 'leave the cluster: kubeadm reset'; fi
  printf '%s\n' "$notes" | while IFS=$tab read -r kind subject copy; do
    case $kind in
      made) [ ! -d "$root$subject" ] || say "remove     $root$subject, if it is empty" ;;
      new)
        if ! exists "$root$subject"; then :
        elif is_changed "$subject"; then say "keep       $root$subject, changed after installation"
        else say "remove     $root$subject"
        fi
        ;;
      old)
        if ! exists "$root$copy"; then :
        elif is_changed "$subject"; then say "keep       $root$subject, changed after installation, and $root$copy"
        else say "restore    $root$subject from $root$copy"
        fi
        ;;
      enabled) say "disable    $subject" ;;
      disabled) say "enable     $subject" ;;
      started) say "stop       $subject" ;;
      stopped | restarted) say "restart    $subject" ;;
      sysctl) say "set        $subject = $copy" ;;
      module) say "unload     $subject" ;;
      image) say "remove     image $subject" ;;
    esac
  done
  say "remove     $state"
  say 'nothing was changed'
}

# Removes what is left of the records, and the folders that were created for them.
remove_notes() {
  made_for_state=$newline$(awk -F '\t' '$1 == "made" { print $2 }' "$state/undone" | while IFS= read -r folder; do
    printf '%s\n' "$root$folder"
  done)$newline
  # The file that shows that there were changes goes last, so that a run that is cut off here can be repeated.
  for name in "$state"/*; do
    case ${name##*/} in lock | undone) ;; *) rm -rf -- "$name" ;; esac
  done
  rm -f -- "$state/undone"
}

# Reports which parts of an installation are still there.
tell_rest() {
  for name in /etc/kubernetes /etc/cni/net.d /etc/containerd /opt/cni /var/lib/containerd /var/lib/kubelet /var/lib/etcd /var/lib/cni; do
    if exists "$root$name"; then say "stays  $root$name"; fi
  done
}

uninstall() {
  find_maker
  if [ -d "$state" ] && [ ! -x "$state" ]; then fail "$state cannot be read; run it as root"; fi
  if [ ! -d "$state" ] || ! has_notes; then
    say "there is nothing to undo: $state has no record of an installation"
    return 0
  fi
  (require_safe_folder "$state") || exit 1
  if [ "$dry_run" = yes ]; then
    tell_uninstall
    return 0
  fi
  if in_cluster; then
    [ "$reset" = yes ] ||
      fail 'this machine is part of a cluster; nothing was changed. Drain it (kubectl drain), then run this again with --reset, which leaves the cluster first'
    [ -z "$root" ] || fail "the machine of $root is part of a cluster; only that machine itself can leave it. Nothing was changed"
  fi
  begin_changes
  # In a tree, install.sh runs only a ctr that the package placed there.
  if is_own /usr/local/bin/ctr; then plan=$tab/usr/local/bin/ctr$newline; fi
  if in_cluster || [ -e "$state/leaving" ]; then leave_cluster; fi
  touch "$state/undo"
  [ -e "$state/undone" ] || cp -- "$state/undo" "$state/undone"
  if ! play_back "$state/undo"; then
    is_done=yes
    fail "not everything could be undone; $state/undo lists what remains. Fix the errors above, then run this again"
  fi
  remove_notes
  is_done=yes
  tell_rest
  say 'all changes of install.sh are undone'
}
