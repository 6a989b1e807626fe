# Places files: all are written next to their places and are on the disk before the first is renamed.

# Prints the first of NAME, NAME.2, NAME.3 and so on that is free.
free_name() {
  if ! exists "$root$1"; then
    printf '%s\n' "$1"
    return 0
  fi
  next=2
  while exists "$root$1.$next"; do next=$((next + 1)); done
  printf '%s\n' "$1.$next"
}

# Prints the missing folders above a place, outermost first.
missing_folders() {
  [ ! -d "$root$1" ] || return 0
  missing_folders "$(dirname -- "$1")"
  printf '%s\n' "$1"
}

# Creates a folder, with those above it. It does not inherit its mode and owner from the folder above or its access
# list.
make_folder() {
  missing_folders "$1" | while IFS= read -r folder; do
    record made "$folder"
    mkdir -m 0755 -- "$root$folder" && chmod g-s -- "$root$folder" && give_to_root "$root$folder" || fail "cannot create $root$folder"
  done || exit 1
}

give_to_root() { [ "$me" -ne 0 ] || chown 0:0 -- "$1"; }

# Decides what to do with the files of the plan: reads its rows, prints KIND MODE PART SOURCE PLACE COPY of those to
# place, and records in $state/placing the files that are right at their places after that.
decide() {
  while IFS=$tab read -r mode part from to; do
    kept=no
    case $(fate "$mode" "$from" "$to") in
      keep)
        complain "note: keeping $root$to, which was changed after installation; the version from this package is $root$to.keel-new"
        to=$to.keel-new
        part=none
        kept=yes
        ;;
    esac
    if ! is_same "$from" "$to" "$mode"; then
      if ! exists "$root$to"; then kind=new copy=-
      elif [ "$kept" = yes ] || is_own "$to" || is_earlier "$to"; then kind=old copy=$to.keel-old
      else kind=old copy=$(free_name "$to.before-keel")
      fi
      printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$kind" "$mode" "$part" "$from" "$to" "$copy"
    fi
    printf '%s\t%s\n' "$(packed_sum "$from")" "$to" >>"$state/placing"
  done
}

# Keeps the file at a place under another name. A hard link keeps labels and capabilities, which a copy may lose. For a
# symbolic link it would name the target, and some file systems have no hard links: these are copied.
keep_copy() {
  rm -f -- "$root$2" "$root$2.keel-part"
  if [ ! -L "$root$1" ] && ln -- "$root$1" "$root$2" 2>/dev/null; then return 0; fi
  cp -a -- "$root$1" "$root$2.keel-part" && flush "$root$2.keel-part" && mv -f -- "$root$2.keel-part" "$root$2"
}

# Writes a file next to its place.
write_beside() {
  rm -f -- "$root$3.keel-part"
  cp -- "$here/$2" "$root$3.keel-part" && chmod "$1" "$root$3.keel-part" && give_to_root "$root$3.keel-part"
}

# Places the files of the named parts, or of all parts if none is named. Sets $changed to their number, and
# $changed_parts to the parts that they belong to.
# shellcheck disable=SC2120
place_files() {
  wanted_parts=" $* "
  case $wanted_parts in "  " | *" kubelet "*) fact KUBERNETES_VERSION >"$state/version.new" ;; esac
  printf '%s' "$plan" | while IFS= read -r row; do
    part=${row#*"$tab"}
    case $wanted_parts in "  " | *" ${part%%"$tab"*} "*) printf '%s\n' "$row" ;; esac
  done >"$work/plan"
  decide <"$work/plan" >"$work/changes"

  # All new files are on the disk before the first change.
  printf '%s\n' "$folders" >"$work/folders"
  cut -f 5 "$work/changes" | while IFS= read -r to; do dirname -- "$to"; done | sort -u >>"$work/folders"
  while IFS= read -r folder; do [ -z "$folder" ] || make_folder "$folder"; done <"$work/folders"
  awk -F '\t' '{ print $1 FS $5 ($1 == "old" ? FS $6 : "") }' "$work/changes" >>"$state/journal"
  flush "$state/journal" "$state/placing"

  set --
  while IFS=$tab read -r kind mode part from to copy; do
    if [ "$kind" = old ]; then keep_copy "$to" "$copy" || fail "cannot keep $root$to as $root$copy"; fi
    write_beside "$mode" "$from" "$to" || fail "cannot write $root$to"
    set -- "$@" "$root$to.keel-part"
  done <"$work/changes"
  [ $# -eq 0 ] || flush "$@"

  changed=0
  changed_parts=
  set --
  while IFS=$tab read -r kind mode part from to copy; do
    mv -f -- "$root$to.keel-part" "$root$to" || fail "cannot replace $root$to"
    case $copy in *.before-keel*) say "kept   $root$copy" ;; esac
    say "placed $root$to"
    changed=$((changed + 1))
    changed_parts="$changed_parts $part"
    set -- "$@" "$(dirname -- "$root$to")"
  done <"$work/changes"
  link_programs
  [ $# -eq 0 ] || flush "$@"
  label_files
  say "$(counted "$changed" file) placed, $(($(grep -c . "$work/plan") - changed)) unchanged"
}

# Gives files the labels that SELinux requires at their places.
label_files() {
  [ -z "$root" ] && command -v selinuxenabled >/dev/null 2>&1 && selinuxenabled || return 0
  cut -f 5 "$work/changes" | while IFS= read -r to; do restorecon -- "$to" || :; done
}
