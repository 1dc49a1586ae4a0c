#!/usr/bin/env bash
# The simulation: seeds of six simulated hours with at least 30 effective faults each, which
# together reach every kind of fault and every state; some of them twice; short ones, of which
# `cargo test` runs some; and five planted bugs, others every day. LIANDONG_SEEDS sets how many
# seeds; one that fails says how to look at it.
set -eu
cd "$(dirname "$0")/../.."
# The profile `sim` in the folder of the release, whose dependencies the demo has built: that is a
# release whose own lines have their debug assertions.
cargo build --quiet --release --features planted-bugs --example simulate \
  --config profile.release.package.liandong.debug-assertions=true
simulate=target/release/examples/simulate
seeds="${LIANDONG_SEEDS:-2000}"
# What only many seeds reach is asked for where there are many.
complete=""
if [ "$seeds" -ge 200 ]; then complete="--complete"; fi
# Seeds that are open in tests/bugs.md, with commas; one that is clean again fails the step.
open=""
timeout 900 "$simulate" --from 0 --count "$seeds" $complete ${open:+--open "$open"}
"$simulate" --from 0 --count 20 --twice >/dev/null
short=$("$simulate" --short --from 10 --count 190) || {
  printf '%s\n' "$short"
  exit 1
}
timeout 300 "$simulate" --rotate 5
# No later step builds for release.
[ "${CI:-}" != true ] || rm -rf target/release
