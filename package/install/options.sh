# The options of install.sh.

usage() {
  cat <<'TEXT'
Installs Kubernetes from this package, without a network, and creates a cluster.

Usage: ./install.sh [options]

Actions (without one of these, install.sh only installs):
  --check           report what this machine lacks for Kubernetes; change nothing
  --init            install, create a cluster with this machine as its first control plane, and wait until it is Ready
  --join LINE       install, and join this machine to a cluster; LINE is the line that --init printed, in quotes
  --upgrade         upgrade this machine of a cluster to the version of this package
  --images-only     only import the images; the first step of an upgrade, on every machine
  --verify          test pods, names and Services on every machine of the cluster, and report what does not work
  --uninstall       undo everything that install.sh did

For --init and --join:
  --config FILE     use your own kubeadm configuration, unchanged
  --node-ip IP      the address at which other machines reach this one
                    (default: the address of the default route, or the only address)
  --no-addons       do not apply the add-ons of the package, such as the pod network

For --uninstall:
  --reset           leave the cluster first, with kubeadm reset; required if this machine is part of a cluster

Installation options:
  --dry-run         show what install.sh would do, and change nothing
  --root DIR        install into DIR, such as the root of a machine image; services are neither started nor stopped
  --address SOCKET  containerd's socket, for importing images
                    (default: /run/containerd/containerd.sock; with --root, images are imported only if you set this)
  --skip-images     install files, but import no images
  --no-pin          let the kubelet remove unused images; without a network they cannot be pulled again
  --bridge-network  also install a bridge network for a cluster of one machine, instead of flannel or similar
  --help            show this text

install.sh verifies the package, checks the machine, copies programs to /usr/local/bin and /opt/cni/bin and
configuration to /etc, starts containerd, enables the kubelet, and imports the images. A second run changes only what
differs. If a step fails, install.sh restores the previous files. It keeps each file of yours that it replaces as
NAME.before-keel.
TEXT
}

choose() {
  [ "$action" = install ] || fail "--$action and --$1 cannot be combined; see --help"
  action=$1
}

# Fails if an option would have no effect, because its user expects one.
refuse_without_use() {
  case $action:$reset in uninstall:* | *:no) ;; *) fail '--reset requires --uninstall; see --help' ;; esac
  case $action:$dry_run in verify:yes) fail '--verify runs pods, so it cannot be combined with --dry-run' ;; esac
  case $action in
    init | join | check) ;;
    *)
      [ -z "$config" ] || fail "--config $config requires --init or --join; see --help"
      [ -z "$node_ip" ] || fail "--node-ip $node_ip requires --init or --join; see --help"
      ;;
  esac
  [ -z "$config" ] || { [ -f "$config" ] && [ -r "$config" ]; } || fail "--config $config is not a readable file"
}

# Sets what install.sh does, and how.
# shellcheck disable=SC2034 # other files of the library read these
parse_options() {
  action=install
  dry_run=no
  root=
  address=
  join_line=
  config=
  node_ip=
  reset=no
  addons=yes
  skip_images=no
  pin=yes
  bridge_network=no
  while [ $# -gt 0 ]; do
    # A value may follow as a separate word or after "=".
    option=$1
    case $option in
      --root | --address | --join | --config | --node-ip)
        if [ $# -lt 2 ] || [ -z "$2" ]; then fail "$1 needs a value; see --help"; fi
        value=$2
        shift
        ;;
      --root=?* | --address=?* | --join=?* | --config=?* | --node-ip=?*)
        option=${1%%=*}
        value=${1#*=}
        ;;
    esac
    case $option in
      --check | --init | --upgrade | --images-only | --verify | --uninstall) choose "${option#--}" ;;
      --join)
        choose join
        join_line=$value
        ;;
      --no-init) ;; # what happens without --init
      --config) config=$value ;;
      --node-ip) node_ip=$value ;;
      --reset) reset=yes ;;
      --no-addons) addons=no ;;
      --dry-run) dry_run=yes ;;
      --root) root=$value ;;
      --address) address=${value#unix://} ;;
      --skip-images) skip_images=yes ;;
      --pin-all) ;; # what happens without --no-pin
      --no-pin) pin=no ;;
      --bridge-network) bridge_network=yes ;;
      -h | --help)
        usage
        exit 0
        ;;
      *) fail "unknown option: $1; see --help" ;;
    esac
    shift
  done
  case $action:$root in
    install: | install:?* | check:?* | uninstall:?* | *:) ;;
    *) fail "--$action needs a running machine, so it cannot be combined with --root" ;;
  esac
  refuse_without_use
  if [ -n "$root" ]; then
    [ -d "$root" ] || fail "--root $root: no such folder"
    root=$(CDPATH='' cd -P -- "$root" && pwd -P)
    [ "$root" != / ] || root=
  fi
  case $root in *"$newline"* | *"$tab"*) fail "--root $root: the folder name contains a line break or a tab" ;; esac
  state=$root/var/lib/keel
  me=$(id -u)
  my_group=$(id -g)
  [ "$dry_run" = yes ] || [ "$action" = check ] || [ -n "$root" ] || [ "$me" -eq 0 ] || fail 'run it as root, or with --dry-run or --root DIR'
}
