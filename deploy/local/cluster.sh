#!/usr/bin/env bash
# A cluster on this machine: membership in Redis (Garnet where there is no redis-server), checkpoints in Azurite or a folder, and some silos.
#
#   deploy/local/cluster.sh up [--silos 3] [--storage azurite|folder] [--no-build]
#   deploy/local/cluster.sh status
#   deploy/local/cluster.sh kill N        kill -9 silo N
#   deploy/local/cluster.sh leave N       ask silo N to leave, as a service manager does
#   deploy/local/cluster.sh start N       start silo N again, or one more
#   deploy/local/cluster.sh down [--forget]
#
# Silo N has its page at http://localhost:808N, silo port 1111N and gateway port 3000N. Logs, process ids and data are in deploy/local/run/, or in the folder that
# ORLEANSSTREAM_CLUSTER_RUN names; --forget deletes it.
# Azurite needs Node.js 20 or newer with npm.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
run=${ORLEANSSTREAM_CLUSTER_RUN:-$here/run}
redis_port=6379 azurite_port=10000
silo_exe=$root/silos/OrleansStream.Silo/bin/Release/net10.0/OrleansStream.Silo

fail() { echo "cluster.sh: $*" >&2; exit 1; }
usage() { sed -n '2,14s/^# \{0,1\}//p' "$0"; }
# A process that has died stays listed until its parent has asked after it.
alive() { [[ -f $run/$1.pid ]] && [[ $(ps -o stat= -p "$(<"$run/$1.pid")") == [^Z]* ]]; }
is_number() { [[ ${1:-} =~ ^[1-9]$ ]] || fail "name a silo by its number, 1 to 9."; }

# Starts a program in the background: its name, a line of its log that says it is ready, and the command.
launch() {
  local name=$1 ready=$2
  shift 2
  if alive "$name"; then echo "$name runs already."; return; fi
  setsid "$@" >"$run/$name.log" 2>&1 </dev/null &
  echo $! >"$run/$name.pid"
  for _ in $(seq 300); do
    if grep -q "$ready" "$run/$name.log"; then echo "$name is up."; return; fi
    alive "$name" || { rm -f "$run/$name.pid"; tail -n 5 "$run/$name.log" >&2; fail "$name did not start; the whole log is $run/$name.log"; }
    sleep 0.1
  done
  fail "$name is not ready after 30 s; see $run/$name.log"
}

# Asks a program to end, and waits for it.
end() {
  local name=$1
  if alive "$name"; then
    kill -TERM "$(<"$run/$name.pid")"
    for _ in $(seq 400); do alive "$name" || break; sleep 0.1; done
    if alive "$name"; then kill -KILL "$(<"$run/$name.pid")"; echo "$name was killed: it did not end in 40 s."; else echo "$name has ended."; fi
  fi
  rm -f "$run/$name.pid"
}

start_silo() {
  local storage
  storage=$(<"$run/storage")
  [[ $storage == folder ]] && storage="folder=$run/checkpoints" || storage="azure=UseDevelopmentStorage=true"
  launch "silo$1" "is up in cluster" "$silo_exe" serve --clustering "redis=localhost:$redis_port" --storage "$storage" \
    --silo-port "1111$1" --gateway-port "3000$1" --http-port "808$1" --local-snapshots "$run/snapshots/$1" --files "$run/files"
}

up() {
  local silos=3 storage=azurite build=1
  while (($#)); do
    case $1 in
      --silos) silos=${2:-}; shift 2 ;;
      --storage) storage=${2:-}; shift 2 ;;
      --no-build) build=0; shift ;;
      *) fail "up has no option '$1'. There are: --silos, --storage, --no-build." ;;
    esac
  done
  [[ $silos =~ ^[1-9]$ ]] || fail "--silos takes a number from 1 to 9."
  [[ $storage == azurite || $storage == folder ]] || fail "--storage takes azurite or folder."
  mkdir -p "$run/files"
  echo "$storage" >"$run/storage"
  if ((build)); then
    echo "Building the silo ..."
    dotnet build -c Release -v quiet --nologo "$root/silos/OrleansStream.Silo" >"$run/build.log" || { cat "$run/build.log" >&2; fail "the silo does not build."; }
  elif [[ ! -x $silo_exe ]]; then
    fail "there is no executable '$silo_exe': leave --no-build out."
  fi

  if command -v redis-server >/dev/null; then
    launch redis "Ready to accept connections" redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --dir "$run"
  else
    ((build)) && { dotnet build -c Release -v quiet --nologo "$here/Garnet" >"$run/build.log" || { cat "$run/build.log" >&2; fail "Garnet does not build."; }; }
    launch redis "Ready on" dotnet "$here/Garnet/bin/Release/net10.0/OrleansStream.Garnet.dll" "$redis_port"
  fi

  if [[ $storage == azurite ]]; then
    command -v node >/dev/null && command -v npm >/dev/null || fail "Azurite needs Node.js 20 or newer with npm (Debian: apt-get install nodejs npm); or use --storage folder."
    mkdir -p "$run/azurite-program"
    cp "$here"/Azurite/package*.json "$run/azurite-program/"
    [[ -d $run/azurite-program/node_modules/azurite ]] || (echo "Installing Azurite ..." && cd "$run/azurite-program" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier >"$run/npm.log" 2>&1) || fail "npm could not install Azurite; see $run/npm.log"
    launch azurite "successfully listens" node "$run/azurite-program/node_modules/azurite/dist/src/blob/main.js" \
      --blobHost 127.0.0.1 --blobPort "$azurite_port" --location "$run/azurite-data" --skipApiVersionCheck --disableTelemetry --silent
  fi

  for n in $(seq "$silos"); do start_silo "$n"; done
  echo "Status page: http://localhost:8081"
}

status() {
  local name any=
  for name in redis azurite silo1 silo2 silo3 silo4 silo5 silo6 silo7 silo8 silo9; do
    [[ -f $run/$name.pid ]] || continue
    any=yes
    if alive "$name"; then echo "$name runs, process $(<"$run/$name.pid")"; else echo "$name is dead; its log: $run/$name.log"; fi
  done
  [[ $any ]] || echo "Nothing runs."
}

down() {
  for n in 9 8 7 6 5 4 3 2 1; do [[ -f $run/silo$n.pid ]] && end "silo$n"; done
  for name in azurite redis; do [[ -f $run/$name.pid ]] && end "$name"; done
  if [[ ${1:-} == --forget ]]; then rm -rf "$run"; fi
}

case ${1:-} in
  up) shift; up "$@" ;;
  status) status ;;
  kill) is_number "${2:-}"; alive "silo$2" || fail "silo$2 does not run."; kill -KILL "$(<"$run/silo$2.pid")"; echo "silo$2 was killed." ;;
  leave) is_number "${2:-}"; alive "silo$2" || fail "silo$2 does not run."; end "silo$2" ;;
  start) is_number "${2:-}"; [[ -f $run/storage ]] || fail "bring the cluster up first."; start_silo "$2" ;;
  down) down "${2:-}" ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
