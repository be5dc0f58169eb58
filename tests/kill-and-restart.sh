#!/usr/bin/env bash
# Kills a throttled run with kill -9 at random moments, starts the same command again until it ends, and compares its lines with those of an unbroken run.
# Every round is killed at least once. In a third of the rounds each start has another parallelism.
#
#   tests/kill-and-restart.sh [--rounds 30] [--seed 1] [--input FILE]... [--silo PATH]
#
# --input may be given several times; without it two files of made-up readings are written. --silo names a built OrleansStream.Silo executable; without it the
# project is built. Exit code 0 when every round gave the unbroken run's lines. The folder of a failed round is kept.
set -euo pipefail

rounds=30 seed=1 silo='' inputs=() most_kills=4
while (($#)); do
  case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    --silo) silo=$2; shift 2 ;;
    --input) inputs+=("$(realpath "$2")"); shift 2 ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "There is no option '$1'. There are: --rounds, --seed, --input, --silo." >&2; exit 2 ;;
  esac
done
[[ $rounds =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ ]] || { echo "--rounds and --seed take whole numbers." >&2; exit 2; }
RANDOM=$seed

here=$(cd "$(dirname "$0")/.." && pwd)
if [[ -z $silo ]]; then
  dotnet build -c Release -v quiet --nologo "$here/silos/OrleansStream.Silo" >&2
  silo=$here/silos/OrleansStream.Silo/bin/Release/net10.0/OrleansStream.Silo
fi
[[ -x $silo ]] || { echo "There is no executable '$silo'." >&2; exit 2; }

work=$(mktemp -d)
cd "$work"

# Readings five minutes apart, each up to 50 minutes early, with gaps of half a day.
make_readings() {
  awk -v seed="$1" -v count="$2" 'BEGIN {
    srand(seed); at = 1386000000; print "timestamp,value"
    for (i = 0; i < count; i++) {
      at += rand() < 0.005 ? 43200 : 300
      printf "%s,%.8f\n", strftime("%Y-%m-%d %H:%M:%S", at - int(rand() * 3000), 1), 60 + rand() * 50
    }
  }'
}
if ((${#inputs[@]} == 0)); then
  awk 'BEGIN { exit strftime("%Y", 0, 1) != 1970 }' 2>/dev/null || { echo "This awk has no strftime: install gawk or mawk, or give --input." >&2; exit 2; }
  make_readings "$seed" 6000 >pump.csv
  make_readings "$((seed + 1))" 6000 >boiler.csv
  inputs=("$work/pump.csv" "$work/boiler.csv")
fi

arguments=(--window 1h --out-of-orderness 1h)
records=0
for input in "${inputs[@]}"; do
  arguments+=(--input "$input")
  records=$((records + $(wc -l <"$input") - 1))
done
# About three seconds of reading when nothing kills it.
rate=$((records / 3 + 1))

# The shell that calls it becomes the silo, so that in the background the silo itself is killed, not a shell around it.
become_run() { # folder, parallelism, more
  exec "$silo" run average-sensor-readings "${arguments[@]}" --output "$1/out.jsonl" --parallelism "$2" --checkpoint-interval 50ms "${@:3}"
}

mkdir unbroken
(become_run unbroken 2) >unbroken/log 2>&1 || { echo "The unbroken run failed:" >&2; cat unbroken/log >&2; exit 1; }
sort unbroken/out.jsonl >unbroken/sorted

good=0 changing=0 kills=0
for ((round = 1; round <= rounds; round++)); do
  folder=round-$round
  mkdir "$folder"
  changes=$((round % 3 == 0)) parallelism=2 killed=0 wanted=$((1 + RANDOM % most_kills)) status=''
  ((changing += changes)) || true
  while :; do
    ((changes)) && parallelism=$((1 + (parallelism + RANDOM % 2) % 3))
    become_run "$folder" "$parallelism" --rate "$rate" >>"$folder/log" 2>&1 &
    process=$!
    if ((killed < wanted)); then
      sleep "$(awk -v r=$RANDOM 'BEGIN { printf "%.3f", 0.1 + 2.4 * r / 32767 }')"
      if kill -9 "$process" 2>/dev/null; then
        status=0; wait "$process" 2>/dev/null || status=$?
        ((status == 137)) && { ((++killed)); continue; }
        break
      fi
    fi
    status=0; wait "$process" 2>/dev/null || status=$?
    break
  done

  ((kills += killed)) || true
  if ((status != 0)); then
    echo "round $round: the run failed with $status: $(tail -n 1 "$folder/log")"
  elif ((killed == 0)); then
    echo "round $round: the run ended before it was killed"
  elif ! sort "$folder/out.jsonl" | cmp -s - unbroken/sorted; then
    echo "round $round: other lines than the unbroken run's after $killed kills: $(sort "$folder/out.jsonl" | comm -13 - unbroken/sorted | wc -l) missing, $(sort "$folder/out.jsonl" | comm -23 - unbroken/sorted | wc -l) too many"
  else
    ((++good))
    rm -r "$folder"
  fi
done

echo "$good of $rounds rounds gave the unbroken run's $(wc -l <unbroken/out.jsonl) lines: $kills kills, parallelism changed at each start in $changing rounds, seed $seed"
if ((good == rounds)); then
  rm -r "$work"
else
  echo "What the failed rounds left is in $work" >&2
  exit 1
fi
