"""Generates the Python stubs from proto/ into a folder (default: stubs/ beside this file).

    python make_stubs.py [FOLDER]
"""

import pathlib
import sys

import grpc_tools
from grpc_tools import protoc

HERE = pathlib.Path(__file__).resolve().parent
PROTO = HERE.parent.parent / "proto"
# The exchange between nodes (liandong.peer.v1) is not for clients.
SERVICES = sorted((PROTO / "liandong" / "v1").glob("*.proto"))


def main() -> int:
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "stubs"
    out.mkdir(parents=True, exist_ok=True)
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    return protoc.main(
        ["protoc", f"-I{PROTO}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}"]
        + [str(path) for path in SERVICES]
    )


if __name__ == "__main__":
    sys.exit(main())
