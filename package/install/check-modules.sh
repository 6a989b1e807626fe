# Checks of kernel modules: those that the package loads at boot.

# Returns whether a kernel has a module, as a file or built in. Takes the module and the release of the kernel.
has_module() {
  # A module's name may be written with - or _.
  pattern="/$(printf '%s' "$1" | sed 's/[-_]/[-_]/g')\.ko"
  for folder in "$machine/lib/modules/$2" "$machine/usr/lib/modules/$2"; do
    if grep -q "$pattern\$" "$folder/modules.builtin" 2>/dev/null; then return 0; fi
    if grep -Eq "^[^:]*$pattern(\.[a-z0-9]+)?:" "$folder/modules.dep" 2>/dev/null; then return 0; fi
  done
  return 1
}

# Returns whether the running kernel has a module in use.
runs_module() {
  if [ -d "$machine/sys/module/$1" ]; then return 0; fi
  case $1 in
    overlay) text_of /proc/filesystems | grep -q "[[:space:]]overlay\$" ;;
    br_netfilter) [ -d "$machine/proc/sys/net/bridge" ] ;;
    nf_conntrack) [ -e "$machine/proc/sys/net/netfilter/nf_conntrack_max" ] ;;
    *) return 1 ;;
  esac
}

# Prints the file that keeps modprobe from loading a module, or systemd from loading it at boot. Takes the words before
# and after its name.
forbidding_file() {
  for file in "$machine"/etc/modprobe.d/*.conf "$machine"/run/modprobe.d/*.conf "$machine"/usr/lib/modprobe.d/*.conf \
    "$machine"/lib/modprobe.d/*.conf; do
    [ -f "$file" ] || continue
    if grep -Eq "^[[:space:]]*$1[[:space:]]+$2([[:space:]]|\$)" "$file" 2>/dev/null; then
      printf '%s\n' "${file#"$machine"}"
      return 0
    fi
  done
}

# Prints the modules in the lists of the package that systemd reads at boot, and the one that flannel makes the kernel
# load if its configuration needs it.
packed_modules() {
  package_list addons | while IFS=$tab read -r _ manifest _; do
    if grep -Eq '"Type": *"vxlan"' "$here/$manifest"; then echo vxlan; fi
  done | sort -u
  printf '%s' "$plan" | while IFS=$tab read -r _ _ from to; do
    case $to in /etc/modules-load.d/*) sed 's/[#;].*//' "$here/$from" ;; esac
  done
}

module_rows() {
  release=$(kernel_release)
  packed_modules | while read -r module _; do
    [ -n "$module" ] || continue
    file=$(forbidding_file install "${module}[[:space:]]+(/usr)?/bin/(false|true)")
    blacklist=$(forbidding_file blacklist "$module")
    if [ -n "$file$blacklist" ]; then
      row FAIL "${file:-$blacklist} prevents the module $module from loading" "sed -i '/$module/s/^/#/' ${file:-$blacklist}"
    elif runs_module "$module" || has_module "$module" "$release"; then
      row ok "the kernel has $module"
    elif [ ! -d "$machine/lib/modules/$release" ] && [ ! -d "$machine/usr/lib/modules/$release" ]; then
      row FAIL "the module $module is required, but the modules of the running kernel $release are gone, as after an update" reboot
    else
      row FAIL "the kernel $release has no module $module, which pods need" "apt-get install linux-modules-extra-$release, or: dnf install kernel-modules-extra-$release"
    fi
  done
}
