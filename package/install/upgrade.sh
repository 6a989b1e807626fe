# A newer package on a machine of a cluster, in kubeadm's order: images on all machines, kubeadm, the control plane, and
# the kubelet last, which may not be newer than the API server. https://kubernetes.io/releases/version-skew-policy/
#
# Each step depends on the state of the machine, so the same command completes a run that was cut off.

installed_version() { /usr/local/bin/"$1" --version 2>/dev/null | sed -n 's/^Kubernetes v//p'; }
minor_of() { expr "$1" : '1\.\([0-9]*\)\.' || :; }

# Returns whether one version is newer than another. 1.38.0-rc.0 comes before 1.38.0.
is_newer() {
  if [ "${1%%-*}" = "${2%%-*}" ]; then
    case $1:$2 in
      *-*:*-*) first=$(printf '%s\n%s\n' "$1" "$2" | sort | head -n 1) ;;
      *-*:*) first=$1 ;;
      *) first=$2 ;;
    esac
  else
    first=$(printf '%s\n%s\n' "$1" "$2" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)
  fi
  [ "$1" != "$2" ] && [ "$first" = "$2" ]
}

# Sets $server to the version of the API server, and $recorded to the one to which kubeadm last upgraded the cluster,
# both without "v". Returns whether both are known.
ask_versions() {
  server=$(cluster get --raw /version) && ask_settings || return 1
  server=$(printf '%s\n' "$server" | sed -n 's/.*"gitVersion": *"v\([^"+]*\).*/\1/p' | head -n 1)
  recorded=$(printf '%s\n' "$settings" | sed -n 's/^kubernetesVersion: *v//p' | head -n 1)
  [ -n "$server" ] && [ -n "$recorded" ]
}

# Sets $reported to NAME and the images of each machine. Returns whether the API server answered.
ask_images() {
  reported=$(cluster get nodes -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.images[*].names}{"\n"}{end}')
}

# Prints NAME and lacks or unknown for each machine that has not reported an image. Reads what machines reported. A
# kubelet reports its fifty largest images: if one reports that many, it is unknown whether it has others.
# https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ (nodeStatusMaxImages)
machines_without() {
  awk -F '\t' -v image="\"$1\"" '$1 != "" && !index($2, image) { print $1 "\t" (gsub(/\[/, "", $2) < 50 ? "lacks" : "unknown") }'
}

# Fails where a machine of the cluster does not have an image.
require_on_machines() {
  within 60 ask_images || fail 'the API server does not answer, so install.sh cannot check which machines have the images; run the same command again'
  printf '%s\n' "$reported" | machines_without "$1" >"$work/without"
  lacking=$(awk -F '\t' '$2 == "lacks" { printf "%s%s", sep, $1; sep = " " }' "$work/without")
  unknown=$(awk -F '\t' '$2 == "unknown" { printf "%s%s", sep, $1; sep = " " }' "$work/without")
  [ -z "$unknown" ] || complain "note: these machines report only their fifty largest images, so install.sh cannot check whether they have the images of this package: $unknown. If you have not done so, run ./install.sh --images-only there first"
  [ -z "$lacking" ] || fail "these machines do not have the images of $target yet: $lacking. Run ./install.sh --images-only there, then run this again; a machine reports its images within a minute"
}

# Prints why this machine cannot be upgraded from one version to another now, or nothing. Takes the version of the
# package, that of the API server, and that of the kubelet here.
upgrade_obstacle() {
  if is_newer "$2" "$1"; then
    echo "the cluster has Kubernetes $2, which is newer than this package; Kubernetes cannot be downgraded"
  elif [ "$(minor_of "$1")" -gt $(($(minor_of "$2") + 1)) ]; then
    echo "the cluster has Kubernetes $2: upgrade one minor version at a time, with a package of 1.$(($(minor_of "$2") + 1)) first"
  elif is_newer "$3" "$1"; then
    echo "the kubelet of this machine is $3, which is newer than this package"
  fi
}

# A plain install would place a kubelet that is newer than its API server, and the next boot would start it.
refuse_plain_install() {
  is_member || return 0
  now=$(installed_version kubelet)
  wanted=$(fact KUBERNETES_VERSION)
  if [ -z "$now" ] || [ "$now" = "$wanted" ]; then return 0; fi
  fail "this machine is part of a cluster and has Kubernetes $now, but the package has $wanted; nothing was changed. Run ./install.sh --upgrade, which upgrades in the order that Kubernetes requires"
}

# Only imports the images: the first step of an upgrade on every machine, which changes nothing that runs.
import_only() {
  begin_changes
  import_images
  commit
}

# Runs kubeadm upgrade. Takes the message about it, and its options. kubeadm first makes the cluster run a pod, and
# gives up after a minute. A cluster that has just started, as after a power cut, needs longer.
run_upgrade() {
  what=$1
  shift
  tries=1
  until run_kubeadm /var/log/keel-upgrade.log "$what takes minutes" upgrade "$@"; do
    if [ "$tries" -eq 5 ] || ! grep -q 'ERROR CreateJob' "$log"; then
      fail 'the cluster keeps its current version; fix the cause, then run ./install.sh --upgrade again'
    fi
    tries=$((tries + 1))
    say "the cluster may still be starting: attempt $tries of 5"
  done
}

upgrade_machine() {
  is_member || fail 'this machine is not part of a cluster; run ./install.sh --init or --join'
  use_programs
  target=$version
  patience=60
  if has_cut_files; then
    begin_changes
    restore_kubeadm_files
    commit
    # The kubelet waits longer and longer before it starts failed pods again; after a restart it tries them at once.
    systemctl restart kubelet || fail 'the kubelet does not start; see: journalctl -u kubelet'
    say 'waiting for the API server, up to 5 minutes'
    patience=300
  fi
  within "$patience" ask_versions || fail 'the API server of the cluster does not answer; nothing was changed. See: journalctl -u kubelet'
  obstacle=$(upgrade_obstacle "$target" "$server" "$(installed_version kubelet)")
  [ -z "$obstacle" ] || fail "$obstacle; nothing was changed"

  say "1 of 4  images of Kubernetes $target (the API server has $server)"
  import_only
  if is_control_plane; then
    # Every machine starts kube-proxy of the new version as soon as the first control plane has it.
    proxy=$({ fact KUBE_PROXY_IMAGE && image_names; } | grep '/kube-proxy:' | head -n 1)
    [ -z "$proxy" ] || require_on_machines "$proxy"
  elif is_newer "$target" "$server"; then
    fail "the API server has $server; upgrade the control planes first, then run this again. The images are already imported"
  fi

  say '2 of 4  kubeadm'
  begin_changes
  place_files kubeadm
  commit
  keep_kubeadm_files
  # kubeadm records the version before it upgrades its add-ons, so the version alone does not show that it finished.
  if is_control_plane && { [ "$recorded" != "$target" ] || [ -e "$state/upgrading" ]; }; then
    printf '%s\n' "$target" >"$state/upgrading"
    run_upgrade "3 of 4  kubeadm upgrade apply v$target" apply "v$target" --yes
    rm -f -- "$state/upgrading"
  else
    run_upgrade '3 of 4  kubeadm upgrade node' node
  fi
  forget_kubeadm_files

  say '4 of 4  the kubelet and the rest'
  install_package
  if is_control_plane; then
    apply_addons
    is_new=no
    wait_for_cluster
  fi
  say "this machine has Kubernetes $target"
  [ "$recorded" = "$target" ] || say 'next: run ./install.sh --upgrade on the other control planes, then on the workers'
}
