"""A command line over liandong_client.py: one JSON object a line, for reading along.

    python client.py --folder demo-data/371500 whoami
    python client.py --folder demo-data/371500 create --parent agreements/ID --title 界河排污
    python client.py --folder demo-data/371500 list --parent agreements/- --page-size 10
    python client.py --folder demo-data/371500 watch --parent agreements/-

`--folder` is a city's folder as the demo lays it out; `--api --ca --cert --key` name the pieces.
Exit code 2: the node refused, see the JSON on standard error. 3: no answer.
"""

import argparse
import json
import pathlib
import sys

from google.protobuf import json_format

import liandong_client as liandong


def arguments():
    parser = argparse.ArgumentParser(description="A small client of a liandong node.")
    parser.add_argument("--folder", type=pathlib.Path, help="a city's folder of the demo")
    parser.add_argument("--role", default="coordinator", help="whose certificate of that folder")
    parser.add_argument("--api", help="host:port of the node's api port")
    parser.add_argument("--ca", help="the city's CA, PEM")
    parser.add_argument("--cert", help="own certificate, PEM")
    parser.add_argument("--key", help="its PKCS#8 key, PEM")
    parser.add_argument("--lang", default="zh-CN", help="language of refusals")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("whoami")
    create = commands.add_parser("create")
    create.add_argument("--parent", required=True)
    create.add_argument("--title", required=True)
    create.add_argument("--county", type=int, default=371525)
    create.add_argument("--longitude", default="115.329563")
    create.add_argument("--latitude", default="36.531049")
    create.add_argument("--belt-reason", default="")
    show = commands.add_parser("show")
    show.add_argument("name")
    listing = commands.add_parser("list")
    listing.add_argument("--parent", default="agreements/-")
    listing.add_argument("--page-size", type=int, default=50)
    watch = commands.add_parser("watch")
    watch.add_argument("--parent", default="agreements/-")
    watch.add_argument("--cursor", default="")
    watch.add_argument("--count", type=int, help="end after so many changes")
    return parser.parse_args()


def connect(args) -> liandong.Node:
    if args.folder is None:
        return liandong.Node(args.api, args.ca, args.cert, args.key, args.lang)
    profile = (args.folder / "client.toml").read_text(encoding="utf-8")
    api = next(line.split('"')[1] for line in profile.splitlines() if line.startswith("api"))
    certs = args.folder / "certs"
    cert, key = certs / f"{args.role}.pem", certs / f"{args.role}.key"
    return liandong.Node(args.api or api, certs / "ca.pem", cert, key, args.lang)


def say(value) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)


def plain(message) -> dict:
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def run(args) -> None:
    node = connect(args)
    if args.command == "whoami":
        say(plain(node.who_am_i()))
    elif args.command == "create":
        place = (args.longitude, args.latitude, args.county)
        say(plain(node.create(args.parent, args.title, *place, args.belt_reason)))
    elif args.command == "show":
        say(plain(node.show(args.name)))
    elif args.command == "list":
        for page in node.list(args.parent, args.page_size):
            names = [case.name for case in page.cases]
            say({"names": names, "total": page.total_size, "cursor": page.cursor})
    else:
        for seen, change in enumerate(node.watch(args.parent, args.cursor), start=1):
            title = change.case.record.title
            say({"cursor": change.cursor, "name": change.case.name, "title": title})
            if seen == args.count:
                return


def main() -> int:
    try:
        run(arguments())
    except liandong.Refusal as refusal:
        print(json.dumps(vars(refusal), ensure_ascii=False), file=sys.stderr)
        return 2
    except liandong.Unreachable as error:
        print(json.dumps({"unreachable": str(error)}, ensure_ascii=False), file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
