# Links in /usr/bin, for machines where root's path lacks /usr/local/bin: sudo's own path on RHEL, openEuler and Kylin
# lacks it.

# Prints the paths in which root's commands are searched: those that sudo and su set, if they set any.
root_paths() {
  for file in "$root/etc/sudoers" "$root"/etc/sudoers.d/*; do
    # sudo ignores these files. https://www.sudo.ws/docs/man/sudoers.man/#Including_other_files_from_within_sudoers
    case ${file##*/} in *.* | *~) continue ;; esac
    [ ! -f "$file" ] || cat -- "$file" 2>/dev/null || :
  done | sed -n 's/^[[:blank:]]*Defaults[[:blank:]].*secure_path[[:blank:]]*=[[:blank:]]*"\{0,1\}\([^",[:blank:]]*\).*/\1/p' | tail -n 1
  sed -n 's/^[[:blank:]]*ENV_SUPATH[[:blank:]]*\(PATH=\)\{0,1\}//p' "$root/etc/login.defs" 2>/dev/null | tail -n 1
}

needs_links() { root_paths | sed 's/^/:/; s/$/:/' | grep -v ':/usr/local/bin/\{0,1\}:' | grep . >/dev/null; }

# Prints the programs of the plan that people and kubeadm call by name, each with its link.
wanted_links() {
  needs_links || return 0
  [ -d "$root/usr/bin" ] || return 0
  printf '%s' "$plan" | while IFS=$tab read -r _ part _ to; do
    case ${wanted_parts:-  } in "  " | *" $part "*) ;; *) continue ;; esac
    case $part:$to in
      containerd:/usr/local/bin/ctr) ;;
      kubeadm:/usr/local/bin/* | kubelet:/usr/local/bin/* | kubectl:/usr/local/bin/*) ;;
      crictl:/usr/local/bin/* | program:/usr/local/bin/*) ;;
      *) continue ;;
    esac
    printf '%s\t/usr/bin/%s\n' "$to" "${to##*/}"
  done
}

link_programs() {
  wanted_links >"$work/links"
  [ -s "$work/links" ] || return 0
  if [ ! -w "$root/usr/bin" ]; then
    complain "note: sudo or su on this machine does not search /usr/local/bin, and $root/usr/bin is not writable; add /usr/local/bin to secure_path in /etc/sudoers"
    return 0
  fi
  (require_safe_folder "$root/usr/bin") || exit 1
  linked=
  while IFS=$tab read -r to link; do
    if ! exists "$root$link"; then
      printf 'link:%s\t%s\n' "$to" "$link" >>"$state/placing"
      record new "$link"
      ln -s -- "$to" "$root$link" || fail "cannot create $root$link"
      linked="$linked ${to##*/}"
    elif [ "$(print_of "$root$link")" != "link:$to" ]; then
      complain "note: $root$link is a different program from $root$to, and sudo runs $root$link"
    fi
  done <"$work/links"
  [ -z "$linked" ] ||
    say "linked $root/usr/bin to:$linked, because sudo or su on this machine does not search /usr/local/bin (see secure_path in /etc/sudoers)"
}
