#!/usr/bin/env bash
# The demo, as built for release: five cities must agree on everything within a minute, and a file
# of 50 MiB must have been gone on with after two cuts, not begun anew.
set -eu
cd "$(dirname "$0")/../.."
cargo build --release --quiet
printed="target/ci/demo.json"
mkdir -p "$(dirname "$printed")"
begin=$(date +%s%N)
timeout 60 target/release/liandong demo --until-synced --json >"$printed"
end=$(date +%s%N)
grep -q '"synced": true' "$printed"
flat=$(tr -d ' \n' <"$printed")
number() { sed -n "s/.*$1\([0-9]*\).*/\1/p" <<<"$flat"; }
bytes=$(number '"file":{[^{]*"bytes":')
[ "$bytes" -eq $((50 * 1024 * 1024)) ]
for way in upload fetch; do
  cut=$(number "\"$way\":{[^}]*\"cut_at\":")
  on=$(number "\"$way\":{[^}]*\"resumed_at\":")
  sent=$(number "\"$way\":{[^}]*\"bytes_in_all\":")
  echo "$way of $bytes bytes: cut at $cut, gone on with at $on, $sent in all"
  [ "$cut" -gt 0 ] && [ "$on" -eq "$cut" ] && [ "$sent" -lt $((2 * bytes)) ]
done
grep -q '"digests_checked": true' "$printed"
echo "from start to agreement and end: $(((end - begin) / 1000000)) ms"
