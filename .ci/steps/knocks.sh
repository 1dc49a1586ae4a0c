#!/usr/bin/env bash
# Ten thousand strangers knock at a real node; prints its memory after a thousand and at the end.
set -eu
cd "$(dirname "$0")/../.."
LIANDONG_KNOCKS=10000 cargo test --quiet --test it thousands_of_strangers -- --nocapture
