# shellcheck shell=bash
# What scripts/run and scripts/test share. Written for bash 3.2, which is what macOS has.

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1
# Build servers would outlive the script.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

child=
captured=

# Runs a command in a process group of its own, so that Ctrl-C and a closing terminal reach only the script, which then decides. The shell
# takes a signal while it waits, where a command in the foreground would make it wait for the command's end.
run_child() {
  set -m
  "$@" </dev/null &
  child=$!
  set +m
  local status=0
  wait "$child" || status=$?
  child=
  return "$status"
}

# For the EXIT trap: ends what run_child was interrupted in, with all that it started.
stop_child() {
  [ -z "$captured" ] || rm -f "$captured"
  [ -n "$child" ] || return 0
  disown "$child" 2>/dev/null || true # spares the shell's remark on how it ended
  kill -TERM -- "-$child" 2>/dev/null || true
  wait_while 20 kill -0 "$child" || kill -KILL -- "-$child" 2>/dev/null || true
  child=
}

# wait_while SECONDS COMMAND...: fails where the command still succeeds after that time.
wait_while() {
  local tries=$(($1 * 10))
  shift
  while "$@" 2>/dev/null; do
    [ "$tries" -gt 0 ] || return 1
    tries=$((tries - 1))
    sleep 0.1
  done
}

# stop_postgres FOLDER SIGNAL: ends the clusters under it that a killed process has left behind. The owner of a cluster holds a lock on it.
stop_postgres() {
  local file pid
  while IFS= read -r file; do
    is_unlocked "${file%/data/postmaster.pid}/owner.lock" || continue
    pid=$(head -n 1 "$file")
    # The number may be another process's by now, or a zombie's (Z), which in a container may stay.
    case $(ps -o stat= -o comm= -p "$pid" 2>/dev/null) in
      [!Z]*postgres | [!Z]*postmaster)
        kill "-$2" "$pid" 2>/dev/null || true
        wait_while 30 test -e "$file" || kill -QUIT "$pid" 2>/dev/null || true
        ;;
    esac
  done < <(find "$1" -path '*/data/postmaster.pid' 2>/dev/null)
}

is_unlocked() {
  if command -v flock >/dev/null; then
    flock --nonblock "$1" true
  else
    perl -MFcntl=:flock -e 'open(F, "+<", $ARGV[0]) && flock(F, LOCK_EX | LOCK_NB) or exit 1' "$1"
  fi
}

# quietly WHAT COMMAND...: shows the output only when the command fails.
quietly() {
  local what=$1 status=0
  shift
  say "$what ..."
  captured=$(mktemp "${TMPDIR:-/tmp}/dataservice.XXXXXX")
  run_child "$@" >"$captured" 2>&1 || status=$?
  [ "$status" -eq 0 ] || cat "$captured" >&2
  rm -f "$captured"
  captured=
  return "$status"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

need_dotnet() {
  if ! command -v dotnet >/dev/null && [ -x "$HOME/.dotnet/dotnet" ]; then
    export PATH="$HOME/.dotnet:$PATH" DOTNET_ROOT="$HOME/.dotnet"
  fi
  if ! command -v dotnet >/dev/null || ! dotnet --list-sdks | grep -q '^10\.'; then
    fail "The .NET 10 SDK is not installed: get it from https://dotnet.microsoft.com/download/dotnet/10.0 and run this again."
  fi
}

# The same places as DataService/Data/PostgresBinaries.cs.
postgres_is_there() {
  local folder major folders
  IFS=: read -r -a folders <<<"$PATH"
  for folder in "${folders[@]}" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql* /opt/homebrew/opt/postgresql@*/bin \
    /usr/local/opt/postgresql@*/bin /opt/homebrew/bin /Applications/Postgres.app/Contents/Versions/*/bin /usr/local/pgsql/bin; do
    [ -x "$folder/initdb" ] || continue
    major=$("$folder/initdb" --version 2>/dev/null | sed -n 's/^.*) \([0-9][0-9]*\).*$/\1/p')
    [ "${major:-0}" -lt 14 ] || return 0
  done
  return 1
}

# Debian's package would create a cluster on port 5432 and start it: nobody asked for that one.
# shellcheck disable=SC2016 # expanded by the shell that runs it
install_postgres_on_debian='
  set -e
  export DEBIAN_FRONTEND=noninteractive
  apt-get update || true
  apt-get install -y --no-install-recommends postgresql-common
  settings=/etc/postgresql-common/createcluster.conf
  cp -p "$settings" "$settings.before"
  trap "mv -f $settings.before $settings" EXIT
  echo "create_main_cluster = false" >>"$settings"
  apt-get install -y --no-install-recommends postgresql'

ensure_postgres() {
  postgres_is_there && return 0
  say "Installing PostgreSQL with the package manager."
  if command -v apt-get >/dev/null; then
    installing as_root sh -c "$install_postgres_on_debian"
  elif command -v dnf >/dev/null; then
    # Red Hat's default is too old for some releases, which offer newer ones as modules; Fedora has no modules.
    as_root dnf -y module enable postgresql:16 >/dev/null 2>&1 || true
    installing as_root dnf -y install postgresql-server
  elif command -v apk >/dev/null; then
    # For root, PostgreSQL is started through setpriv, which busybox has in name only.
    installing as_root apk add postgresql setpriv
  elif command -v pacman >/dev/null; then
    installing as_root pacman -S --noconfirm --needed postgresql
  elif command -v zypper >/dev/null; then
    installing as_root zypper --non-interactive install postgresql-server
  elif command -v brew >/dev/null; then
    installing brew install postgresql@17
  else
    fail "PostgreSQL 14 or newer was not found, and no known package manager either. Install it, or set ConnectionStrings__DataService."
  fi
  postgres_is_there || fail "The package manager's PostgreSQL is older than 14." \
    "Install a newer one (https://www.postgresql.org/download/) or set ConnectionStrings__DataService."
}

# In the foreground, where sudo can ask for a password.
installing() {
  local status=0
  if [ "$1" = as_root ] && [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    fail "The package manager needs root, and there is no sudo: install it as root, then run this again."
  fi
  captured=$(mktemp "${TMPDIR:-/tmp}/dataservice.XXXXXX")
  "$@" </dev/null >"$captured" 2>&1 || status=$?
  [ "$status" -eq 0 ] || tail -n 30 "$captured" >&2
  rm -f "$captured"
  captured=
  [ "$status" -eq 0 ] || fail "The installation failed: see the messages above."
}

chromium_path() {
  local candidate path
  for candidate in "${CHROMIUM_PATH:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Chromium.app/Contents/MacOS/Chromium" "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    path=$(command -v "${candidate:-none}") || continue
    # Ubuntu's chromium-browser without snap is a script that only says so.
    if "$path" --version >/dev/null 2>&1; then
      printf '%s' "$path"
      return 0
    fi
  done
  return 1
}

# Sets CHROMIUM_PATH. Without a browser the tests of the pages say so themselves.
ensure_chromium() {
  local path
  if ! path=$(chromium_path) && [ "$(uname)" = Linux ]; then
    say "Installing Chromium with the package manager, for the tests of the pages."
    if command -v apt-get >/dev/null; then
      (installing as_root sh -c 'apt-get update; DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium') ||
        true
    elif command -v dnf >/dev/null; then
      (installing as_root dnf -y install chromium) || true
    elif command -v apk >/dev/null; then
      (installing as_root apk add chromium) || true
    elif command -v pacman >/dev/null; then
      (installing as_root pacman -S --noconfirm --needed chromium) || true
    elif command -v zypper >/dev/null; then
      (installing as_root zypper --non-interactive install chromium) || true
    fi
    path=$(chromium_path) || true
  fi
  if [ -n "$path" ]; then
    export CHROMIUM_PATH="$path"
  else
    unset CHROMIUM_PATH
    say "No Chromium or Chrome was found: set CHROMIUM_PATH." >&2
  fi
}

# answers HOST PORT: whether somebody listens there.
answers() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# is_ok HOST PORT PATH: whether an HTTP GET gives 200. Needs no curl, and no token.
is_ok() {
  (
    exec 3<>"/dev/tcp/$1/$2"
    case $1 in *:*) host="[$1]" ;; *) host=$1 ;; esac
    printf 'GET %s HTTP/1.0\r\nHost: %s:%s\r\n\r\n' "$3" "$host" "$2" >&3
    read -r -t 5 _ status _ <&3
    [ "$status" = 200 ]
  ) 2>/dev/null
}

# wait_until_ok PID HOST PORT PATH SECONDS: fails where the process ends or the time is over.
wait_until_ok() {
  local end=$((SECONDS + $5))
  until is_ok "$2" "$3" "$4"; do
    if ! kill -0 "$1" 2>/dev/null || [ "$SECONDS" -ge "$end" ]; then return 1; fi
    sleep 0.2
  done
}
