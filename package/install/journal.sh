# The changes of a run. Each is recorded before it is made, so that it can be undone: by the run itself if a step fails,
# by the next run if this one is killed, and by --uninstall.
#
# $state/journal has the lines of this run, newest last; $state/undo has those of all completed runs. A line is a kind
# and its words, separated by tabs. Files have their paths below --root:
#   made FOLDER         the folder was not there
#   new PLACE           nothing was there
#   old PLACE COPY      what was there is kept as COPY
#   enabled UNIT        the unit was not enabled
#   disabled UNIT       the unit was enabled
#   started UNIT        the unit did not run
#   stopped UNIT        the unit ran
#   restarted UNIT      the unit ran, with what was there before
#   sysctl KEY OLD      the setting was OLD
#   module NAME         the module was not loaded
#   image NAME          containerd did not have the image

# Writes files and folders through to the disk. An older sync can only write everything.
flush() { sync -- "$@" 2>/dev/null || sync; }

# Records a change, which may be made only after that.
record() {
  if [ $# -eq 2 ]; then row=$1$tab$2; else row=$1$tab$2$tab$3; fi
  printf '%s\n' "$row" >>"$state/journal" || fail "cannot write $state/journal"
  flush "$state/journal"
}

sum_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

# Prints what identifies a file: its checksum, or the target of a link.
print_of() {
  if [ -L "$1" ]; then printf 'link:%s\n' "$(readlink -- "$1")"
  elif [ -f "$1" ]; then sum_of "$1"
  fi
}

# Prints the records of placed files: $state/placing of this run, $state/files of earlier runs.
placed_records() { cat -- "$state/placing" "$state/files" 2>/dev/null || :; }

# Returns whether there is a record of a place, or a record of exactly this file there.
has_record() { placed_records | awk -F '\t' -v place="$1" '$2 == place { found = 1 } END { exit !found }'; }
is_own() { placed_records | grep -Fx -- "$(print_of "$root$1")$tab$1" >/dev/null; }

# Returns whether a person changed a file since it was placed.
is_changed() { has_record "$1" && ! is_own "$1"; }

exists() { [ -e "$1" ] || [ -L "$1" ]; }

undo_new() {
  rm -f -- "$root$1.keel-part"
  exists "$root$1" || return 0
  if is_changed "$1"; then
    complain "keeping $root$1, which was changed after installation"
    return 0
  fi
  stop_unit_of "$1"
  rm -f -- "$root$1"
}

undo_old() {
  rm -f -- "$root$1.keel-part" "$root$2.keel-part"
  exists "$root$2" || return 0
  if exists "$root$1"; then
    # The file was never replaced.
    if [ "$(print_of "$root$1")" = "$(print_of "$root$2")" ] &&
      [ "$(stat -c '%a %u %g' -- "$root$1")" = "$(stat -c '%a %u %g' -- "$root$2")" ]; then
      rm -f -- "$root$2"
      return $?
    fi
    if is_changed "$1"; then
      complain "keeping $root$1, which was changed after installation; the earlier file is $root$2"
      return 0
    fi
  fi
  mv -f -- "$root$2" "$root$1" || return 1
  # Renaming a file over another name of the same file does nothing.
  rm -f -- "$root$2"
}

# Undoes one line. Returns whether it could.
undo() {
  case $1 in
    made) rmdir -- "$root$2" 2>/dev/null || : ;;
    new) undo_new "$2" ;;
    old) undo_old "$2" "$3" ;;
    enabled | disabled | started | stopped | restarted) undo_unit "$1" "$2" ;;
    sysctl) undo_setting "$2" "$3" ;;
    module) undo_module "$2" ;;
    image) undo_image "$2" || complain "note: the image $2 remains, because containerd does not answer or refuses to remove it" ;;
  esac
}

# Fails if a record in a tree leads out of the tree, through a link or "..".
require_safe_lines() {
  named=$(while IFS=$tab read -r kind subject copy; do
    case $kind in made | new | old) ;; *) continue ;; esac
    for name in "$subject" ${copy:+"$copy"}; do
      case $name/ in */../* | */./* | [!/]*) fail "$1 contains $name, which is not a valid path; nothing was changed" ;; esac
    done
    dirname -- "$root$subject"
  done <"$1") || exit 1
  printf '%s\n' "$named" | sort -u | while IFS= read -r name; do
    [ -z "$name" ] || (require_safe_folder "$name") || exit 1
  done || exit 1
}

reversed() { sed -n '1!G;h;$p' "$1"; }

# Undoes the lines of a file, newest first, and leaves in it the lines that could not be undone. Returns whether none
# are left. It tries every line, even after one that failed. It writes nothing before it has tried all, because the disk
# may be full.
play_back() {
  [ -z "$root" ] || require_safe_lines "$1"
  ahead=$(reversed "$1")
  left=
  units_stopped=
  while [ -n "$ahead" ]; do
    row=${ahead%%"$newline"*}
    ahead=${ahead#"$row"}
    ahead=${ahead#"$newline"}
    kind=${row%%"$tab"*}
    subject=${row#*"$tab"}
    copy=
    case $subject in *"$tab"*) copy=${subject#*"$tab"} ;; esac
    subject=${subject%%"$tab"*}
    undo "$kind" "$subject" "$copy" </dev/null && continue
    complain "could not be undone: $kind $subject${copy:+; the earlier file is $copy}"
    left=$row$newline$left
  done
  start_again "$1"
  if [ -n "$left" ]; then
    # If the rest cannot be written, the next run tries all lines again.
    if printf '%s' "$left" 2>/dev/null >"$state/lines"; then mv -f -- "$state/lines" "$1"; else rm -f -- "$state/lines"; fi
    return 1
  fi
  rm -f -- "$1"
}

# Undoes the lines of the journal. Takes the reason.
take_back() {
  if [ ! -s "$state/journal" ]; then
    rm -f -- "$state/journal"
    # These files record changes that were never made, unless the run was completed and only needs to be settled.
    [ -f "$state/committed" ] || rm -f -- "$state/placing" "$state/version.new"
    return 0
  fi
  complain "$1; restoring the previous state"
  if play_back "$state/journal"; then
    rm -f -- "$state/placing" "$state/version.new"
    complain 'the previous files are restored'
  else
    complain "everything else is restored. $state/journal lists what remains; the next run tries it again"
    return 1
  fi
}
