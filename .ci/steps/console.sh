#!/usr/bin/env bash
# The console in Debian's Chromium: two cities' pages, a case handed over, a joint action settled,
# live updates, refusals, script in fields, a real client certificate, print, phones, WCAG 2.2 A and AA.
set -eu
cd "$(dirname "$0")/../.."
missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v certutil >/dev/null || missing+=(libnss3-tools)
[ -n "$(fc-list :lang=zh 2>/dev/null | head -n 1)" ] || missing+=(fonts-noto-cjk fontconfig)
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
cargo build --release --quiet
cd tests/console
npm ci --no-audit --no-fund --silent
out=$(node --test --test-reporter=tap console.test.mjs 2>&1) || {
  printf '%s\n' "$out"
  exit 1
}
printf '%s\n' "$out" | grep -E '^(ok|not ok|# (tests|pass|fail|skipped))'
# Nothing may be left out.
printf '%s\n' "$out" | grep -qx '# skipped 0'
