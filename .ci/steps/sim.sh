#!/usr/bin/env bash
# The simulation: seeds of six simulated hours with everything broken, the same seeds twice, and
# planted bugs by rotation. LIANDONG_SEEDS sets how many; a seed that fails prints its replay.
set -eu
cd "$(dirname "$0")/../.."
cargo build --quiet --profile sim --features planted-bugs --example simulate
simulate=target/sim/examples/simulate
timeout 320 "$simulate" --from 0 --count "${LIANDONG_SEEDS:-250}"
"$simulate" --from 0 --count 20 --twice >/dev/null
# Five of them, others every day.
mapfile -t bugs < <(sed -n 's/^    "\([a-z-]*\)",$/\1/p' src/planted.rs)
begin=$(($(date +%s) / 86400 * 5))
chosen=()
for n in 0 1 2 3 4; do chosen+=("${bugs[$(((begin + n) % ${#bugs[@]}))]}"); done
timeout 240 "$simulate" --bugs "${chosen[@]}"
