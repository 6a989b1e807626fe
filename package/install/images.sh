# The images of the package: NAME FILE in install/images, where FILE is an archive, or - for an image in the layout
# images/.
#
# $state/importing has the names of an unfinished import: after a power cut, containerd's answers about these images are
# not reliable. $state/images has NAME VERSION of each image that install.sh imported and pinned.

image_names() { package_list images | cut -f 1; }

# Prints NAME DIGEST TYPE of each row of the layout.
layout_rows() {
  [ -f "$here/images/index.json" ] || return 0
  sed 's/{"mediaType"/\
&/g' "$here/images/index.json" |
    sed -n 's/^{"mediaType":"\([^"]*\)","digest":"\(sha256:[0-9a-f]*\)",.*"io.containerd.image.name":"\([^"]*\)".*/\3'"$tab"'\2'"$tab"'\1/p'
}

# Sets $wants_images and $image_rows: NAME FILE DIGEST TYPE of each, the last two - for archives. Fails if a row is
# malformed.
read_images() {
  wants_images=no
  pause_image=$(fact PAUSE_IMAGE)
  address_given=no
  [ -z "$address" ] || address_given=yes
  if [ "$skip_images" = no ] && [ -n "$(image_names)" ]; then
    if [ -z "$root" ] || [ -n "$address" ]; then wants_images=yes; fi
  fi
  address=${address:-$DEFAULT_ADDRESS}
  [ "$wants_images" = yes ] || return 0
  # To ctr, a name that begins with a dash is an option.
  odd=$({ image_names && printf '%s\n' "$pause_image"; } | grep -Ev '^([0-9A-Za-z][0-9A-Za-z._:/@-]*)?$' | head -n 1)
  [ -z "$odd" ] || fail "$odd is not an image name; nothing was changed"
  image_rows=$({ layout_rows && printf '\n\n' && package_list images; } | awk -F '\t' '
    NF == 0 { listed = 1; next }
    !listed { rest[$1] = $2 "\t" $3; next }
    { print $1 "\t" $2 "\t" ($2 != "-" ? "-\t-" : ($1 in rest) ? rest[$1] : "missing") }')
  printf '%s\n' "$image_rows" | while IFS=$tab read -r name file digest _; do
    case $file:$digest in
      -:sha256:?*) file=images/blobs/sha256/${digest#sha256:} ;;
      -:*) fail "images/index.json does not contain $name; nothing was changed. Build the package again" ;;
      images/*) ;;
      *) fail "install/images: $file is not an image archive; nothing was changed" ;;
    esac
    require_listed "$file"
  done
}

# Prints the digest of an image's configuration by its archive.
archived_config() {
  tar -xOf "$here/$1" manifest.json 2>/dev/null | tr '"' '\n' | sed -n 's/^\([0-9a-f]\{64\}\)\.json$/sha256:\1/p' | head -n 1
}

# Returns whether the image of an archive is there. Compares configurations, because containerd writes its own manifest.
is_archived_there() {
  there=$(printf '%s\n' "$2" | awk -F '\t' -v "name=$1" '$1 == name { print $2 }')
  config=$(archived_config "$3")
  [ -n "$there" ] && [ -n "$config" ] && run_ctr content get "$there" 2>/dev/null | grep -Fq -- "$config"
}

# Prints the rows of images that containerd lacks or has with different content.
missing_rows() {
  whole=$(whole_images)
  printf '%s\n' "$image_rows" | while IFS=$tab read -r name file digest type; do
    if [ "$file" = - ]; then
      case $newline$whole$newline in *"$newline$name$tab$digest$tab$type$newline"*) continue ;; esac
    elif is_archived_there "$name" "$whole" "$file"; then
      continue
    fi
    printf '%s\t%s\t%s\t%s\n' "$name" "$file" "$digest" "$type"
  done
}

# Creates a layout with one manifest under its names, from links to files of the package: $work/layout.
stage_image() {
  rm -rf -- "$work/layout"
  blobs=$work/layout/blobs/sha256
  mkdir -p -- "$blobs"
  manifest=$here/images/blobs/sha256/${1#sha256:}
  { printf '%s\n' "$1" && tr '"' '\n' <"$manifest"; } | sed -n 's/^sha256:\([0-9a-f]\{64\}\)$/\1/p' | sort -u |
    while IFS= read -r blob; do
      if [ -f "$here/images/blobs/sha256/$blob" ]; then ln -s -- "$here/images/blobs/sha256/$blob" "$blobs/$blob"; fi
    done
  echo '{"imageLayoutVersion":"1.0.0"}' >"$work/layout/oci-layout"
  size=$(wc -c <"$manifest")
  row=$(printf '{"mediaType":"%s","digest":"%s","size":%d,"annotations":{"io.containerd.image.name":"' "$2" "$1" "$size")
  printf '%s\n' "$3" | awk -v "row=$row" '
    BEGIN { printf "{\"schemaVersion\":2,\"manifests\":[" }
    { printf "%s%s%s\"}}", (NR > 1 ? "," : ""), row, $0 }
    END { print "]}" }' >"$work/layout/index.json"
}

# Imports the staged layout, or an archive.
run_import() {
  # shellcheck disable=SC2086 # options
  if [ "$1" = - ]; then tar -C "$work/layout" -chf - . | run_ctr images import $import_options -
  else run_ctr images import $import_options "$here/$1"; fi
}

# Sets $import_options to the options that this ctr knows. In later versions, only its local import can sync files, and
# shows the imported images at once.
find_import_options() {
  import_options=
  for option in --local --sync-fs; do
    if run_ctr images import --help 2>&1 | grep -q -- "$option"; then import_options="$import_options $option"; fi
  done
}

megabytes() { stat -L -c %s -- "$@" | awk '{ sum += $1 } END { printf "%.1f MB", sum / 1000000 }'; }

# Prints the lines of a file that another does not have. grep -f of busybox matches every line if the list is empty.
lines_without() { awk 'FILENAME == ARGV[1] { other[$0]; next } !($0 in other)' "$2" "$1"; }

# Imports the images of the rows, and reports each.
import_rows() {
  printf '%s\n' "$1" | awk -F '\t' '{ image = $2 FS $3 FS $4 } !seen[image]++ { print image }' >"$work/missing"
  total=$(grep -c . "$work/missing")
  number=0
  while IFS=$tab read -r file digest type; do
    number=$((number + 1))
    names=$(printf '%s\n' "$1" | awk -F '\t' -v "file=$file" -v "digest=$digest" '$2 == file && $3 == digest { print $1 }')
    if [ "$file" = - ]; then
      stage_image "$digest" "$type" "$names"
      size=$(megabytes "$work/layout/blobs/sha256"/*)
    else
      size=$(megabytes "$here/$file")
    fi
    say "importing $number of $total: $(printf '%s' "$names" | head -n 1), $size"
    # Not into a file: the disk may be full.
    if ! reason=$(run_import "$file" 2>&1 </dev/null); then
      printf '%s\n' "$reason" | lines >&2
      case $reason in *'no space left'*) complain 'the disk of /var/lib/containerd is full; free some space, then run this again' ;; esac
      fail "not imported: $(printf '%s' "$names" | tr '\n' ' ')"
    fi
  done <"$work/missing"
}

# Undoes "image NAME" of a journal.
undo_image() {
  find_ctr
  containerd_answers && remove_images "$1" || return 1
  [ -f "$state/importing" ] || return 0
  # If no name is left, the list is removed.
  grep -Fvx -- "$1" "$state/importing" >"$state/importing.new" || { rm -f -- "$state/importing" "$state/importing.new"; return; }
  mv -f -- "$state/importing.new" "$state/importing"
}

# Removes what an import left that was cut off, so that the images are imported again completely.
forget_cut_off() {
  [ -s "$state/importing" ] || return 0
  run_ctr images ls -q >"$work/there" 2>/dev/null || :
  cut_off=$(grep -Fx -f "$state/importing" "$work/there") || return 0
  complain "an earlier import of images was interrupted; importing them again: $(printf '%s' "$cut_off" | tr '\n' ' ')"
  # shellcheck disable=SC2086 # names have neither blanks nor patterns
  remove_images $cut_off || fail "cannot remove the partly imported images; see: ctr -n k8s.io images rm"
}

# Imports missing images, and returns when they are on the disk.
import_missing() {
  missing=$(missing_rows)
  if [ -z "$missing" ]; then
    rm -f -- "$state/importing"
    return 0
  fi
  find_import_options
  printf '%s\n' "$missing" | cut -f 1 >"$state/importing.new"
  mv -f -- "$state/importing.new" "$state/importing"
  run_ctr images ls -q >"$work/there" 2>/dev/null || :
  lines_without "$state/importing" "$work/there" >"$work/new"
  while IFS= read -r name; do record image "$name"; done <"$work/new"
  sync
  began=$(date +%s)
  import_rows "$missing"
  left=$(missing_rows | cut -f 1 | tr '\n' ' ')
  [ -z "$left" ] || fail "not imported, although ctr reported success: $left"
  sync
  rm -f -- "$state/importing"
  say "$(counted "$(printf '%s\n' "$missing" | grep -c .)" image) imported in $(($(date +%s) - began)) s"
}

# Pins images that the kubelet must not remove, and unpins the others of the package.
pin_images() {
  if [ "$pin" = yes ]; then image_names; else printf '%s\n' "$pause_image"; fi >"$work/pin"
  pinned_images >"$work/pinned" || :
  image_names >"$work/names"
  while IFS= read -r name; do
    value=
    if grep -Fqx -- "$name" "$work/pin"; then value=pinned; fi
    if grep -Fqx -- "$name" "$work/pinned"; then pinned=pinned; else pinned=; fi
    [ "$value" != "$pinned" ] || continue
    set_pin "$name" "$value" || complain "note: $name could not be ${value:-un}pinned${value:+, so the kubelet may remove it if the disk is full}"
  done <"$work/names"
}

# Records the imported images. Images of older versions stay recorded until they are unpinned.
note_images() {
  touch "$state/images"
  { sed "s/\$/$tab$(fact KUBERNETES_VERSION)/" "$work/names" && cat "$state/images"; } |
    awk -F '\t' '!seen[$1]++' >"$state/images.new"
  mv -f -- "$state/images.new" "$state/images"
}

import_images() {
  if [ "$wants_images" = no ]; then
    [ -z "$(image_names)" ] || say 'images were not imported'
    return 0
  fi
  if ! containerd_is_ready; then
    case $action in install | images-only) ;; *) fail "containerd does not answer at $address; start it, then run this again" ;; esac
    complain "note: containerd does not run here, so no image was imported; start containerd, then run install.sh again to import them"
    return 0
  fi
  forget_cut_off
  import_missing
  pin_images
  note_images
  say "all images of the package are imported: $(grep -c . "$work/names")"
}

# Lets the kubelet remove images of an older version once the cluster no longer has that version.
unpin_older_images() {
  [ -f "$state/images" ] && [ -f "$work/names" ] || return 0
  cut -f 1 "$state/images" >"$work/brought"
  lines_without "$work/brought" "$work/names" >"$work/older"
  while IFS= read -r name; do
    # It may be gone already.
    set_pin "$name" '' || :
    say "unpinned $name, which an older version imported"
  done <"$work/older"
  sed "s/\$/$tab$(fact KUBERNETES_VERSION)/" "$work/names" >"$state/images.new"
  mv -f -- "$state/images.new" "$state/images"
}
