# Runs of kubeadm that create or join a cluster, and the remains of one that a power cut or an error ended.

# Prints where a configuration of kubeadm puts the data of etcd. Reads the configuration.
etcd_folder() {
  found=$(sed -n "s/^ *dataDir: *[\"']\{0,1\}\(\/[^\"' #]*\).*/\1/p" | head -n 1)
  echo "${found:-/var/lib/etcd}"
}

is_empty_folder() { [ -z "$(ls -A -- "$1" 2>/dev/null)" ]; }

# Leaves a mark that a run has begun. The mark names the folder of etcd if that was empty before, so that its data
# belong to the run.
mark_begun() {
  if [ ! -e "$state/$1" ] || is_empty_folder "$2"; then
    { ! is_empty_folder "$2" || printf '%s\n' "$2"; } >"$state/$1"
  fi
  sync
}

# Returns whether the run of a mark left data of etcd.
has_etcd_left() {
  begun_etcd=$(cat -- "$state/$1" 2>/dev/null) || return 1
  case $begun_etcd in /?*) ! is_empty_folder "$begun_etcd" ;; *) return 1 ;; esac
}

# kubeadm reset reads the folder of the data in the manifest of etcd. A power cut can leave that file empty. Then the
# data stay, and kubeadm init refuses them.
clear_etcd() {
  ! has_etcd_left "$1" || rm -rf -- "${begun_etcd:?}"/* "${begun_etcd:?}"/.[!.]*
}

# Removes what an unfinished run created. Takes its mark and its option.
begin_anew() {
  refuse_old "$state/$1" "$2"
  say "an earlier $2 did not finish; install.sh removes what it created and starts again"
  run_kubeadm /var/log/keel-reset.log 'kubeadm reset' reset --force --cri-socket "unix://$address" ||
    fail 'run kubeadm reset --force yourself, then run this command again'
  clear_etcd "$1"
}
