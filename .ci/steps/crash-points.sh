#!/usr/bin/env bash
# A real node dies at every call that changes one of its files, and at every one again with the
# power; prints which calls they were.
set -euo pipefail
cd "$(dirname "$0")/../.."
LIANDONG_CRASH_POINTS=all timeout 900 \
  cargo test --quiet --test it a_crash_at_any_call_on_a_file -- --nocapture 2>&1 |
  grep -vE '^LIANDONG_CRASH_AT=[0-9]+ makes'
