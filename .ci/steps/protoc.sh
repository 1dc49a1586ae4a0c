#!/usr/bin/env bash
# All protos compile alone with plain protoc (the one inside grpcio-tools, from PyPI), using nothing
# but protobuf's well-known types and the vendored google/rpc files; what comes out for Python can be
# imported and decodes a golden header.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=target/ci/venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" -q --disable-pip-version-check install 'grpcio-tools==1.85.1'

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir "$out/python"
mapfile -t protos < <(find proto -name '*.proto' | sort)
"$venv/bin/python" -m grpc_tools.protoc -Iproto \
  --python_out="$out/python" --grpc_python_out="$out/python" \
  --descriptor_set_out="$out/all.pb" --include_imports "${protos[@]}"
echo "compiled ${#protos[@]} files"

PYTHONPATH="$out/python" "$venv/bin/python" - <<'PYTHON'
import pathlib

from google.rpc import error_details_pb2, status_pb2
from liandong.peer.v1 import peer_service_pb2
from liandong.v1 import agreement_service_pb2_grpc, case_service_pb2_grpc, entry_pb2
from liandong.v1 import node_service_pb2_grpc

read = 0
for line in pathlib.Path("tests/fixtures/v1/headers.txt").read_text().splitlines():
    if not line.startswith("#"):
        name, value = line.split()
        header = entry_pb2.EntryHeader.FromString(bytes.fromhex(value))
        again = header.SerializeToString(deterministic=True)
        assert again.hex() == value, f"{name} is written in another way by Python"
        read += 1
for line in pathlib.Path("tests/fixtures/v1/frames.txt").read_text().splitlines():
    if not line.startswith("#"):
        name, value = line.split()
        frame = peer_service_pb2.Frame.FromString(bytes.fromhex(value))
        assert frame.SerializeToString(deterministic=True).hex() == value, name
        read += 1
info = error_details_pb2.ErrorInfo(reason="LOG_GAP", domain="liandong")
status = status_pb2.Status(code=10)
status.details.add().Pack(info)
assert status.details[0].Is(error_details_pb2.ErrorInfo.DESCRIPTOR)
assert case_service_pb2_grpc.CaseServiceStub and node_service_pb2_grpc.NodeServiceStub
assert agreement_service_pb2_grpc.AgreementServiceStub
print(f"Python reads and writes {read} golden headers and frames byte for byte")
PYTHON
