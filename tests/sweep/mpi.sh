#!/usr/bin/env bash
# samflow-mpi with four ranks: the same results as one process; a rank killed at work; the same command goes on.
# usage: mpi.sh SAMFLOW SAMFLOW-MPI
set -euo pipefail
samflow=$1 mpi=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > grid.yaml <<'GRID'
data: {example: [1, 2]}
dynamics: {mode: discrete, step: 0.01, steps: 20000}
sweep:
  axes:
    zip: {network.init: {linspace: [0.3, 1.2, 40]}, record.samples: {linspace: [200, 239, 40]}} # a point at a time
    optimizer.rho: {linspace: [0.5, 2, 20]}
  observables: [regime, final_loss, direction]
GRID
ranks=(mpirun --oversubscribe -n 4)
[ "$(id -u)" != 0 ] || ranks+=(--allow-run-as-root)

cat > refined.yaml <<'GRID'
data: {example: [1, 2]}
optimizer: {method: lp-sam, p: 3} # no SIMD lanes: some time a point
dynamics: {mode: discrete, step: 0.01, steps: 8000}
sweep:
  axes:
    network.init: {linspace: [0.3, 1.2, 9]}
    optimizer.rho: {linspace: [0.5, 2, 9]}
  observables: [regime]
  refine: {by: regime, levels: 3}
GRID

# kill_a_rank GRID RESULT.db: returns once a run was caught at work
kill_a_rank() {
    local attempt job victim code
    for attempt in 1 2 3 4 5; do
        "${ranks[@]}" "$mpi" "$1" -o "$2" --quiet > out.txt 2>&1 &
        job=$!
        for _ in $(seq 200); do
            sleep 0.02
            [ -s "$2" ] && [ "$(sqlite3 "$2" 'SELECT count(*) FROM point' 2> /dev/null || echo 0)" -gt 0 ] && break
        done
        victim=$(pgrep -P "$job" -f samflow-mpi | tail -1 || true)
        [ -z "$victim" ] || kill -9 "$victim" || true
        code=0
        wait "$job" || code=$?
        [ "$(sqlite3 "$2" 'PRAGMA integrity_check')" = ok ]
        [ "$code" -eq 0 ] || return 0
        rm -f "$2" # it was done before the kill
    done
    echo "no run of $1 was caught at work"
    return 1
}

"$samflow" sweep grid.yaml -o whole.db --quiet
"$samflow" export whole.db -o whole.csv

kill_a_rank grid.yaml a.db
before=$(sqlite3 a.db 'SELECT count(*) FROM point')
"${ranks[@]}" "$mpi" grid.yaml -o a.db --quiet | tee out.txt
grep -q "$before there before" out.txt
"$samflow" export a.db -o a.csv
cmp a.csv whole.csv
"${ranks[@]}" "$mpi" grid.yaml -o a.db --quiet | grep -q ", 0 computed, 800 there before"
code=0
"${ranks[@]}" "$mpi" grid.yaml -o b.db --set optimizer.rh0=1 > out.txt 2>&1 || code=$?
[ "$code" -eq 2 ] && [ ! -e b.db ]

# refine: rank 0 decides what comes next; the same points as in one process
"$samflow" sweep refined.yaml -o refined.db --quiet > /dev/null
"$samflow" export refined.db -o refined.csv
"${ranks[@]}" "$mpi" refined.yaml -o b.db --quiet
"$samflow" export b.db -o b.csv
cmp b.csv refined.csv
kill_a_rank refined.yaml c.db
"${ranks[@]}" "$mpi" refined.yaml -o c.db --quiet
"$samflow" export c.db -o c.csv
cmp c.csv refined.csv

echo "a rank was killed after $before of 800 points; the rest was computed by the next run"
