#!/usr/bin/env bash
# Kills silos of a cluster of three processes with kill -9 at every named point of the protocols, several times each, and at random moments, under the job that checks
# itself; holds what is committed in the end against what must be, and measures how long it takes until a checkpoint is committed again.
#
#   tests/cluster-faults.sh [--rounds 3] [--seed 1] [--points NAME,NAME,...] [--no-build]
#
# --points runs some faults only; a name that there is none of prints those there are, and random is the kills at random moments. Without it the cuts of the network and the
# pauses that dotnet test leaves out are run too, once each. --seed repeats a run: which passing of a point is the last one, and which silos die when. Where those die that
# recover the job, the time includes a second death and the start of another silo. Exit code 0 when every fault came about and the output was right each time.
set -euo pipefail

rounds=3 seed=1 points='' build=1
while (($#)); do
  case $1 in
    --rounds | --seed | --points) (($# > 1)) || { echo "$1 takes a value." >&2; exit 2; } ;;&
    --rounds) rounds=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    --points) points=$2; shift 2 ;;
    --no-build) build=0; shift ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "There is no option '$1'. There are: --rounds, --seed, --points, --no-build." >&2; exit 2 ;;
  esac
done
[[ $rounds =~ ^[1-9][0-9]{0,5}$ && $seed =~ ^[0-9]{1,9}$ ]] || { echo "--rounds and --seed take whole numbers." >&2; exit 2; }

tests=$(cd "$(dirname "$0")" && pwd)/OrleansStream.ClusterTests
((build)) && dotnet build -c Release -v quiet --nologo "$tests" >&2
program=$tests/bin/Release/net10.0/OrleansStream.ClusterTests
[[ -x $program ]] || { echo "There is no executable '$program': leave --no-build out." >&2; exit 2; }

export ORLEANSSTREAM_FAULT_ROUNDS=$rounds ORLEANSSTREAM_FAULT_SEED=$seed ORLEANSSTREAM_FAULT_POINTS=$points
faults=OrleansStream.ClusterTests.Faults
classes=(-class "$faults.LongFaultRuns")
[[ $points ]] || classes+=(-class "$faults.NetworkCutTests" -class "$faults.PausedSiloTests")
exec "$program" "${classes[@]}" -explicit only -parallel none -noLogo -noColor
