# Checks whether the disks have room for the package. Files and images that are there already need none.

# Prints the file system on which a folder is or will be: kilobytes in all, kilobytes or inodes free, and where it is
# mounted. Takes the folder and "k" or "i".
file_system() {
  folder=$machine$1
  while [ ! -d "$folder" ]; do folder=$(dirname -- "$folder"); done
  df -P "-$2" -- "$folder" 2>/dev/null |
    sed -n 's/^.*[[:space:]]\([0-9][0-9]*\)[[:space:]][[:space:]]*[0-9-][0-9]*[[:space:]][[:space:]]*\([0-9-][0-9]*\)[[:space:]][[:space:]]*[0-9-]*%*[[:space:]][[:space:]]*\(\/.*\)$/\1 \2 \3/p' |
    tail -n 1
}

# Prints the kilobytes that files of the package need, with the folder that they go to.
files_need() {
  printf '%s' "$plan" | while IFS=$tab read -r mode _ from to; do
    case $mode in d*) continue ;; esac
    size=$(stat -c %s -- "$here/$from")
    # A file of the same size counts as the same: reading both would take longer than placing them.
    [ "$(stat -c %s -- "$machine$to" 2>/dev/null || :)" != "$size" ] || continue
    printf '%s\t%s\n' $(((size + 4095) / 1024)) "$(dirname -- "$to")"
  done
}

# Prints where containerd keeps images, according to its configuration.
containerd_folder() {
  folder=$(text_of /etc/containerd/config.toml | sed -n "s/^root *= *[\"']\(\/[^\"']*\)[\"'].*/\1/p" | head -n 1)
  printf '%s\n' "${folder:-/var/lib/containerd}"
}

# Prints the rows of the images to import: those that containerd does not have yet.
rows_to_import() {
  [ "$wants_images" = yes ] || return 0
  if [ -z "$root" ] && [ -S "$address" ]; then
    find_ctr
    if command -v "$ctr_program" >/dev/null 2>&1 && containerd_answers; then
      missing_rows
      return 0
    fi
  fi
  printf '%s\n' "$image_rows"
}

# Prints the size in bytes of the layers of images in the package. Takes rows from standard input.
packed_size() {
  while IFS=$tab read -r _ file digest _; do
    if [ "$file" = - ]; then tr ',' '\n' <"$here/images/blobs/sha256/${digest#sha256:}" | sed -n 's/.*"size": *\([0-9]*\).*/\1/p'
    else stat -c %s -- "$here/$file"; fi
  done | awk '{ sum += $1 } END { printf "%d\n", sum }'
}

# Prints the kilobytes that images need, and containerd's folder: packed, because containerd keeps them, and unpacked.
# Only the unpacked size of all images is known, so some images count with their share.
images_need() {
  rows=$(rows_to_import)
  [ -n "$rows" ] || return 0
  some=$(printf '%s\n' "$rows" | packed_size)
  all=$(printf '%s\n' "$image_rows" | packed_size)
  [ "$all" -gt 0 ] || return 0
  unpacked=$(fact IMAGES_SIZE)
  unpacked=$((${unpacked:-0} / 1024))
  printf '%s\t%s\n' $((some / 1024 + unpacked * some / all)) "$(containerd_folder)"
}

# Sets $file_needs and $image_needs, each in rows of kilobytes and a folder.
read_needs() {
  file_needs=$(files_need)
  image_needs=$(images_need)
}

# Prints for each file system the needed, free and total kilobytes, and where it is mounted.
room_by_file_system() {
  printf '%s\n' "$file_needs" "$image_needs" | while IFS=$tab read -r need folder; do
    [ -n "$need" ] || continue
    printf '%s %s\n' "$need" "$(file_system "$folder" k)"
  done | awk '
    NF >= 4 {
      mount = $4
      for (i = 5; i <= NF; i++) mount = mount " " $i
      need[mount] += $1; all[mount] = $2; free[mount] = $3
    }
    END { for (mount in need) printf "%d\t%d\t%d\t%s\n", need[mount], free[mount], all[mount], mount }'
}

room_rows() {
  room_by_file_system | while IFS=$tab read -r need free all mount; do
    if [ "$need" -gt "$free" ]; then
      row FAIL "$mount needs $(((need + 1023) / 1024)) MB and has $((free / 1024)) MB free" "find what uses the space and remove it: du -xh $mount | sort -h | tail"
    else row ok "$mount needs $(((need + 1023) / 1024)) MB and has $((free / 1024)) MB free"; fi
  done
}

# An image has a file or folder for each 64 KB at most: those of Kubernetes have far fewer.
inode_rows() {
  printf '%s\n' "$image_needs" | while IFS=$tab read -r need folder; do
    [ -n "$need" ] || continue
    file_system "$folder" i | while read -r all free mount; do
      case $all$free in *[!0-9]* | 0*) continue ;; esac
      if [ "$free" -lt $((need / 64)) ]; then
        row FAIL "$mount has room for $free files, but the images have up to $((need / 64))" "find the folder with many files and remove them: df -i $mount"
      fi
    done
  done
}

# Prints the free kilobytes on the file system of a folder after the installation, and its total.
room_afterwards() {
  file_system "$1" k | while read -r all free mount; do
    need=$(room_by_file_system | awk -F '\t' -v mount="$mount" '$4 == mount { print $1 }')
    printf '%s %s %s\n' $((free - ${need:-0})) "$all" "$mount"
  done
}

# If less is free, the kubelet removes images and accepts no pods.
# https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
eviction_rows() {
  # If there is no room for the package at all, only that is reported.
  ! room_rows | grep -q '^FAIL' || return 0
  room_afterwards "$(containerd_folder)" | while read -r free all mount; do
    if [ $((free * 100)) -lt $((all * 15)) ]; then
      row WARN "less than 15 % of $mount will be free, so the kubelet will remove images and evict pods" 'free some space, or set imageGCHighThresholdPercent and evictionHard in a KubeletConfiguration'
    fi
  done
  room_afterwards /var/lib/kubelet | while read -r free all mount; do
    if [ $((free * 100)) -lt $((all * 10)) ]; then
      row WARN "less than 10 % of $mount will be free, so the kubelet will accept no pods" 'free some space, or set evictionHard in a KubeletConfiguration'
    fi
  done
  [ "$role" = control-plane ] || return 0
  room_afterwards /var/lib/etcd | while read -r free _ mount; do
    if [ "$free" -lt 2097152 ]; then row WARN "$((free / 1024)) MB will be free on $mount, but etcd may need 2048" "free some space, or mount a disk at /var/lib/etcd"; fi
  done
}

# Prints the type and the options of what is mounted at a place.
mounted() { text_of /proc/mounts | awk -v place="$1" '$2 == place { found = $3 "," $4 } END { if (found) print found }'; }

# A hardened machine may run no program from the places of the package's programs. Programs in containers run from an
# overlay, which does not inherit that option.
mount_rows() {
  for folder in /usr/local/bin /opt/cni/bin "$(containerd_folder)"; do
    file_system "$folder" k | while read -r _ _ mount; do
      case $(mounted "$mount"),: in
        *,ro,*) row FAIL "$mount is mounted read-only, so nothing can be installed in $folder" "mount -o remount,rw $mount" ;;
        *,noexec,*)
          [ "$folder" = "$(containerd_folder)" ] ||
            row FAIL "$mount is mounted with noexec, so programs in $folder cannot run" "mount -o remount,exec $mount, and remove noexec in /etc/fstab"
          ;;
        nfs* | vfat,* | overlay,* | 9p,* | virtiofs,* | fuse*)
          [ "$folder" != "$(containerd_folder)" ] ||
            row WARN "$mount has a file system on which containerd's overlay may not work" "mount a disk with ext4 or xfs at $folder"
          ;;
      esac
    done
  done
}
