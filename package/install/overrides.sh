# Lines of other files that override ours at the next boot.

# Prints the files of a kind, such as sysctl.d, that are read at boot, in the order of their names. A file in one folder
# hides those of the same name in later folders. https://www.freedesktop.org/software/systemd/man/latest/sysctl.d.html
boot_files() {
  for folder in /etc /run /usr/local/lib /usr/lib /lib; do
    for file in "$root$folder/$1"/*.conf; do
      if exists "$file"; then printf '%s\t%s\n' "${file##*/}" "$file"; fi
    done
  done | awk -F '\t' '!seen[$1]++' | sort
}

# Prints FILE, LINE, KEY and VALUE of the settings that replace ours after the next boot. Takes our file, and reads the
# names and paths of the files that are read after it.
settings_after() {
  while IFS=$tab read -r _ file; do
    if [ -f "$file" ] && [ -r "$file" ]; then awk -v file="$file" '{ print FNR "\t" file "\t" $0 }' "$file"; fi
  done |
    awk -F '\t' -v ours="$1" '
      function key_of(text) {
        sub(/^[ \t]*-?/, "", text); gsub(/[ \t]/, "", text); gsub("/", ".", text)
        # These are two names of one setting.
        if (text == "net.ipv4.conf.all.forwarding") text = "net.ipv4.ip_forward"
        return text
      }
      function value_of(text) { gsub(/^[ \t]+|[ \t\r]+$/, "", text); return text }
      BEGIN {
        while ((getline line < ours) > 0) {
          at = index(line, "=")
          if (line ~ /^[ \t]*[#;]/ || !at) continue
          want[key_of(substr(line, 1, at - 1))] = value_of(substr(line, at + 1))
        }
      }
      { text = substr($0, length($1) + length($2) + 3); at = index(text, "=") }
      text ~ /^[ \t]*[#;]/ || !at { next }
      { key = key_of(substr(text, 1, at - 1)) }
      key in want { value[key] = value_of(substr(text, at + 1)); where[key] = $2 "\t" $1 }
      END { for (key in value) if (value[key] != want[key]) print where[key] "\t" key "\t" value[key] }' | sort
}

# Reports which kernel settings another file overrides at the next boot. Takes our file and its place.
tell_settings() {
  {
    boot_files sysctl.d | awk -F '\t' -v ours="${2##*/}" '$1 > ours'
    # Debian has a link to /etc/sysctl.conf among these files; elsewhere sysctl --system reads it last.
    [ -e "$root/etc/sysctl.d/99-sysctl.conf" ] || printf 'sysctl.conf\t%s/etc/sysctl.conf\n' "$root"
  } | settings_after "$1" | while IFS=$tab read -r file number key value; do
    complain "note: $file, line $number, sets $key = $value at the next boot and overrides $root$2; remove that line"
  done
}

# Prints the modules that the kernel's command line keeps out, one a line.
modules_kept_out() {
  [ -z "$root" ] || return 0
  tr ' ' '\n' </proc/cmdline 2>/dev/null | sed -n 's/^modprobe\.blacklist=//p; s/^module_blacklist=//p' | tr ',-' '\n_' || :
}

# Reports which modules another file keeps from being loaded at boot. Takes our file.
tell_modules() {
  grep -Ev '^[[:blank:]]*([#;]|$)' "$1" | tr '-' '_' | while read -r module; do
    boot_files modprobe.d | while IFS=$tab read -r _ file; do
      [ -f "$file" ] || continue
      awk -v module="$module" '
        { name = $2; gsub("-", "_", name) }
        name == module && ($1 == "blacklist" || $1 == "install" && $3 ~ /^(\/.*\/)?(true|false)$/) { print NR "\t" $0 }' "$file" |
        while IFS=$tab read -r number text; do
          complain "note: $file, line $number ($text), prevents the module $module from loading at the next boot; remove that line"
        done
    done
    if modules_kept_out | grep -Fx -- "$module" >/dev/null; then
      complain "note: the kernel command line prevents the module $module from loading; remove that setting"
    fi
  done
}

# Reports which of our settings the next boot would undo.
tell_overrides() {
  printf '%s' "$plan" | while IFS=$tab read -r _ _ from to; do
    case $to in
      /etc/sysctl.d/*.conf) tell_settings "$here/$from" "$to" ;;
      /etc/modules-load.d/*.conf) tell_modules "$here/$from" ;;
    esac
  done
}
