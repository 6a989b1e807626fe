# Which file goes where, as packer recorded it in install/files: MODE PART SOURCE PLACE. A folder to create has the mode
# d0755 and the source "-".

refuse_row() { fail "install/files: $1; nothing was changed. Copy or unpack the package again"; }

# Sets $plan to the rows of the files to install, and $folders to the folders. Fails if a row leads outside the places
# for files of a package.
read_plan() {
  plan=$(package_list files)
  [ -n "$plan" ] || fail 'install/files lists no files, so there is nothing to install; build the package again'
  plan=$plan$newline
  case $plan in *[!\ -~"$tab$newline"]*) refuse_row 'a name contains characters other than ASCII' ;; esac
  printf '%s' "$plan" | while IFS=$tab read -r mode part source place rest; do
    if [ -z "$place" ] || [ -n "$rest" ]; then refuse_row "a row does not have four fields: $mode $part $source $place"; fi
    case $mode in 0644 | 0755 | d0755) ;; *) refuse_row "$source has the mode $mode" ;; esac
    case /$source/$place/ in */../* | */./*) refuse_row "$source or $place leads outside the package or its folders" ;; esac
    case $place in
      /usr/local/bin/?* | /opt/cni/bin/?* | /etc/?*) ;;
      *) refuse_row "$place is not a path for files of a package" ;;
    esac
    [ "$mode" != d0755 ] || continue
    [ -f "$here/$source" ] || refuse_row "$source is missing"
    require_listed "$source"
  done
  folders=$(printf '%s' "$plan" | grep "^d0755$tab" | cut -f 4) || folders=
  plan=$(printf '%s' "$plan" | grep -v "^d0755$tab")$newline
  if [ "$bridge_network" = no ]; then
    plan=$(printf '%s' "$plan" | grep -v "^[0-9]*${tab}bridge-network$tab")$newline
  fi
}

# Returns whether the package has files of a part, such as kubelet.
has_part() { printf '%s' "$plan" | grep -q "^[0-9]*$tab$1$tab"; }

# Prints the checksum of a file of the package, from SHA256SUMS.
packed_sum() {
  awk -v name="$1" '{ at = substr($0, 67); sub(/^\.\//, "", at) } at == name { print substr($0, 1, 64); exit }' "$here/SHA256SUMS"
}

# Returns whether a place has a file of the package, with its mode, and no one else can change it. Root's files must
# also have root's group. Takes the path in the package, the place and the mode.
is_same() {
  [ -f "$root$2" ] && [ ! -L "$root$2" ] || return 1
  size=$(stat -c %s -- "$here/$1") || return 1
  case $me:$(stat -c '%s %a %u %g' -- "$root$2") in
    "0:$size ${3#0} 0 0") ;;
    0:*) return 1 ;;
    *":$size ${3#0} 0 "* | *":$size ${3#0} $me "*) ;;
    *) return 1 ;;
  esac
  sum=$(packed_sum "$1")
  [ -n "$sum" ] && [ "$sum" = "$(sum_of "$root$2")" ]
}

# Returns whether a place has configuration that a person changed since it was placed, and that only root or this user
# can change.
is_kept() {
  case $1 in
    /etc/systemd/*) return 1 ;;
    /etc/*) ;;
    *) return 1 ;;
  esac
  [ -f "$root$1" ] && [ ! -L "$root$1" ] && is_changed "$1" || return 1
  case $(stat -c '%u:%A' -- "$root$1") in
    0:-????-??-? | "$me":-????-??-?) ;;
    *) return 1 ;;
  esac
}

# Prints what install.sh does with a file: same, new, replace or keep. Takes the mode, the path in the package and the
# place.
fate() {
  if is_same "$2" "$3" "$1"; then echo same
  elif ! exists "$root$3"; then echo new
  elif is_kept "$3" && [ "$(sum_of "$root$3")" != "$(packed_sum "$2")" ]; then echo keep
  else echo replace
  fi
}

# Prints what install.sh would do, in order.
tell_plan() {
  [ "$action" = images-only ] || tell_files
  if [ "$wants_images" = yes ]; then image_names | sed 's/^/import     /'; fi
  case $action:$member in
    init:no) say "then run kubeadm init${node_address:+ at $node_address} and apply the add-ons of the package" ;;
    join:no) say "then run kubeadm join${node_address:+ as $node_address}" ;;
    upgrade:*) say 'then run kubeadm upgrade and update the kubelet last' ;;
  esac
  say 'nothing was changed'
}

tell_files() {
  printf '%s' "$plan" | while IFS=$tab read -r mode _ from to; do
    case $(fate "$mode" "$from" "$to") in
      same) say "unchanged  $root$to" ;;
      new) say "place      $root$to" ;;
      replace) say "replace    $root$to" ;;
      keep) say "keep       $root$to, changed after installation; the version from this package goes to $root$to.keel-new" ;;
    esac
  done
  wanted_links | while IFS=$tab read -r to link; do
    exists "$root$link" || say "link       $root$link to $to"
  done
  tell_overrides
  if [ -z "$root" ]; then say 'then start containerd and enable the kubelet'; fi
}
