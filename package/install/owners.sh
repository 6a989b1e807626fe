# Who can change the places of files.
#
# The owner of a program or unit, and anyone who may write to a folder above it, can replace it after it was placed. An
# access list that lets others write shows in the mode of the group.

has_access_list() { case $(ls -ld -- "$1") in ??????????+*) return 0 ;; *) return 1 ;; esac; }

# Takes the folder, its owner, its group and that group's name.
group_may() {
  case $3:$4 in
    # Debian's installer gave /usr/local to this group, whose members can become root by it anyway.
    # https://www.debian.org/doc/debian-policy/ch-opersys.html#site-specific-programs
    50:staff) ;;
    # The private group of the owner, as with umask 002, unless an access list names others.
    "$2":*) if has_access_list "$1"; then say 'its access list may let others write to it'; fi ;;
    *) if [ "$me" -eq 0 ] || [ "$3" != "$my_group" ]; then say "group $3 may write to it"; fi ;;
  esac
}

# Prints how someone else could change a folder, or nothing.
others_may() {
  stat -c '%u %g %A %G' -- "$1" 2>/dev/null | {
    read -r owner group mode group_name || { say 'its owner is unknown'; exit 0; }
    case $owner in
      0 | "$me" | "$maker") ;;
      *) say "user $owner owns it" ;;
    esac
    # As letters, because not every shell reads 0755 as octal.
    case $mode in ????????w?) say 'every user may write to it' ;; esac
    case $mode in ?????w????) group_may "$1" "$owner" "$group" "$group_name" ;; esac
  } | head -n 1
}

# Fails if someone else can change a folder, or one above it up to the root. A folder that does not exist yet is fine.
require_safe_folder() {
  if [ "$1" != "${root:-/}" ] && [ "$1" != / ]; then
    (require_safe_folder "$(dirname -- "$1")") || exit 1
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then return 0; fi
  fi
  [ -d "$1" ] || fail "$1 is not a folder; remove it first"
  if [ -L "$1" ]; then
    # A link in the tree of a machine image may point to this machine's own /etc.
    inside=$(CDPATH='' cd -P -- "$1" && pwd -P)
    case $inside/ in
      "$root"/*) ;;
      *) fail "$1 points to $inside, which is outside $root" ;;
    esac
    # Anyone who may change a link that this one leads to decides where it ends.
    target=$(readlink -- "$1")
    case $target in /*) ;; *) target=$(dirname -- "$1")/$target ;; esac
    require_safe_folder "$target"
    return 0
  fi
  why=$(others_may "$1")
  [ -z "$why" ] || fail "$1 is not safe: $why and could change the installed files; fix it with chown or chmod go-w"
}

# Fails if something other than a file is at the place of one: keeping a pipe or a device would mean reading it. Takes
# the place, the path in the package, and the mode.
require_file_place() {
  [ ! -d "$root$1" ] || fail "$root$1 is a folder where a file belongs; remove it first"
  exists "$root$1" || return 0
  [ -f "$root$1" ] || [ -L "$root$1" ] || fail "$root$1 is neither a file nor a link; remove it first"
  case $(fate "$3" "$2" "$1") in same | keep) return 0 ;; esac
  # install.sh could not restore it unchanged.
  if [ "$me" -ne 0 ] && [ "$(stat -c %u -- "$root$1")" != "$me" ]; then
    fail "$root$1 belongs to another user; only root can replace it"
  fi
  ! is_mounted "$root$1" || fail "$root$1 is a mount point, so it cannot be replaced; unmount it first"
  if [ "$me" -eq 0 ] && [ ! -L "$root$1" ] && [ ! -w "$root$1" ]; then
    fail "$root$1 cannot be replaced: it is immutable or its disk is read-only; see lsattr, mount and chattr -i"
  fi
}

# Returns whether something is mounted at exactly this place.
is_mounted() {
  name=$(printf '%s' "$1" | sed 's/ /\\040/g')
  awk -v name="$name" '$5 == name { found = 1 } END { exit !found }' /proc/self/mountinfo 2>/dev/null
}

# Sets $maker to the owner of the tree that --root names. The owner can change all of it, which the user of --root
# accepts.
find_maker() {
  maker=$me
  [ -z "$root" ] || maker=$(stat -c %u -- "$root")
}

# Fails unless every file of the plan can be placed, and no one else could change it there.
require_safe_places() {
  find_maker
  {
    printf '%s' "$plan" | while IFS=$tab read -r _ _ _ to; do dirname -- "$root$to"; done
    printf '%s\n' "$folders" | while IFS= read -r to; do [ -z "$to" ] || printf '%s\n' "$root$to"; done
    printf '%s\n' "$state"
  } | sort -u |
    while IFS= read -r folder; do require_safe_folder "$folder"; done
  printf '%s' "$plan" | while IFS=$tab read -r mode _ from to; do
    require_file_place "$to" "$from" "$mode"
  done
}
