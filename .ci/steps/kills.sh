#!/usr/bin/env bash
# A real node is killed a hundred times in the middle of at least eight writes; prints the counts.
set -eu
cd "$(dirname "$0")/../.."
LIANDONG_KILLS=100 cargo test --quiet --test it no_acknowledged_write_is_lost -- --nocapture
