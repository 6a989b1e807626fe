# The output of install.sh.

newline='
'
tab=$(printf '\t')

# Texts from the package and the machine are not trusted, and a terminal obeys more than ASCII's control characters:
# only printable ASCII is shown, and a line stays one line.
lines() { tr -c '\011\012\040-\176' '?'; }
line() { printf '%s' "$*" | tr -c '\040-\176' '?' && echo; }
say() { line "$*"; }
# Prints a number with a word, which gets an s unless there is one.
counted() { if [ "$1" = 1 ]; then echo "1 $2"; else echo "$1 $2s"; fi; }
complain() { line "install.sh: $*" >&2; }
fail() {
  complain "$*"
  exit 1
}
