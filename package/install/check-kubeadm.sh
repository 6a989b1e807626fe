# kubeadm's own checks, run with the kubeadm of the package before it is installed.

# Turns kubeadm's output into rows. It leaves out what other checks report, and what the installation sets.
rows_of_kubeadm() {
  sed -n "s/^$tab\[\([A-Z]*\) \([^]]*\)\]: \(.*\)/\1$tab\2$tab\3/p" | while IFS=$tab read -r level name what; do
    case $name in
      CRI | ContainerRuntimeVersion) if [ ! -S "$address" ] || [ ! -x /usr/local/bin/containerd ]; then continue; fi ;;
      NumCPU | Mem | Swap | Hostname | Firewalld | HTTPProxy* | Port-* | Service-* | File* | DirAvailable-*) continue ;;
      SystemVerification) case $what in *cgroup* | *'kernel config'* | *'kernel release'*) continue ;; esac ;;
    esac
    if [ "$level" = ERROR ]; then row FAIL "kubeadm reports $name: $what"
    else row WARN "kubeadm reports $name: $what"; fi
  done
}

# This sets the variables for the configuration. Checks run in a subshell, so later steps are not affected.
kubeadm_rows() {
  if [ "$action" != check ] || [ "$member" = yes ] || [ "$me" -ne 0 ]; then return 0; fi
  folder=$here/kubernetes/bin
  # kubeadm may have lost its mode, or be on a file system from which no program may run.
  if ! "$folder/kubeadm" version >/dev/null 2>&1; then folder=/usr/local/bin; fi
  if ! "$folder/kubeadm" version -o short 2>/dev/null | grep -Fqx "v$kubernetes"; then
    row ok 'the checks of kubeadm itself are skipped, because kubeadm cannot run from the folder of the package'
    return 0
  fi
  (find_address) >/dev/null 2>&1 || return 0
  find_address
  PATH=$folder:$PATH
  version=$kubernetes
  # Nothing is pulled.
  wants_images=yes
  if [ -n "$config" ]; then own=$(cat -- "$config"); else own=$(init_configuration | grep .); fi
  if said=$(printf '%s\n' "$own" | kubeadm init phase preflight --dry-run --config /dev/stdin 2>&1); then
    row ok "kubeadm $kubernetes itself finds no errors"
  else
    case $said in
      *"[ERROR "*) ;;
      *) row FAIL "kubeadm reports: $(printf '%s\n' "$said" | sed -n 's/^error: //p' | head -n 1)" ;;
    esac
  fi
  printf '%s\n' "$said" | rows_of_kubeadm
}
