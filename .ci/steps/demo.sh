#!/usr/bin/env bash
# The demo, as built for release: five cities must agree on everything within a minute.
set -eu
cd "$(dirname "$0")/../.."
cargo build --release --quiet
printed="target/ci/demo.json"
mkdir -p "$(dirname "$printed")"
begin=$(date +%s%N)
timeout 60 target/release/liandong demo --until-synced --json >"$printed"
end=$(date +%s%N)
grep -q '"synced": true' "$printed"
echo "from start to agreement and end: $(((end - begin) / 1000000)) ms"
