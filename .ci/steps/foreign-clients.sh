#!/usr/bin/env bash
# Python's grpcio and `buf curl` against two real nodes; one line for each check.
set -eu
cd "$(dirname "$0")/../.."
bash .ci/lib/foreign-venv.sh
# Two threads: with one, libtest writes the name of a test in front of the first check's line.
out=$(LIANDONG_NO_SKIP=1 cargo test --test it foreign:: -- --nocapture --test-threads 2 \
  --skip java 2>&1) || {
  printf '%s\n' "$out"
  exit 1
}
printf '%s\n' "$out" | grep -oE '(ok   (python|buf curl): |test result).*'
# A filter that finds nothing would pass as well.
checks=$(printf '%s\n' "$out" | grep -cE 'ok   (python|buf curl): ')
if [ "$checks" -lt 17 ]; then
  echo "only $checks checks ran"
  exit 1
fi
