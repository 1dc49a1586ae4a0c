#!/usr/bin/env bash
# Clients nobody here wrote, under target/ci/clients: Python's grpcio with stubs, and buf.
set -eu
cd "$(dirname "$0")/../.."
venv="$PWD/target/ci/clients"
wanted="examples/python/requirements.txt"
mark="$venv/.installed"
if ! cmp -s "$wanted" "$mark" 2>/dev/null; then
  rm -rf "$venv"
  mkdir -p "$(dirname "$venv")"
  python3 -m venv "$venv"
  "$venv/bin/pip" -q --disable-pip-version-check install -r "$wanted" 'buf-bin==1.75.0'
  cp "$wanted" "$mark"
fi
# Always anew: the stubs are those of this proto/.
rm -rf "$venv/stubs"
"$venv/bin/python" examples/python/make_stubs.py "$venv/stubs"
