"""Works a published draw out again: python3 verify_draw.py draw.json

Needs nothing but Python. Written from the rule in docs/draw.md, without code of the program that
made the draw. Officers are worked out by verify_teams.py beside it.
"""

import hashlib
import json
import re
import sys

sys.dont_write_bytecode = True
import verify_teams  # noqa: E402


def sha256(*pieces):
    return hashlib.sha256(b"".join(pieces))


def need(what, why):
    if not what:
        sys.exit(why)


def joint_seed(draw):
    start = bytes.fromhex(draw["plan_id"]) + draw["revision"].to_bytes(4, "big")
    committed, shown = draw["commitments"], draw["reveals"]
    need(shown and set(committed) == set(shown), "not every city has shown its bytes")
    for city, text in shown.items():
        need(re.fullmatch("[0-9a-f]{64}", text), f"{city} has not shown 32 bytes")
        made = sha256(b"liandong/draw/v1", start, city.encode("ascii"), bytes.fromhex(text))
        need(made.hexdigest() == committed[city], f"{city} had committed to other bytes")
    pieces = [bytes.fromhex(shown[city]) for city in sorted(shown)]
    return sha256(b"liandong/draw-seed/v1", *pieces).hexdigest()


def smallest_ticket(seed, name, weight):
    tickets = [f"{seed}\x1f{name}"] + [f"{seed}\x1f{name}\x1f{n}" for n in range(1, weight)]
    return min(sha256(ticket.encode()).digest() for ticket in tickets), name


with open(sys.argv[1], encoding="utf-8") as file:
    draw = json.load(file)
need(draw["schema"] == "liandong-draw/1", "not a draw of this form")
need(("seed" in draw) != ("commitments" in draw), "either a seed, or commitments and reveals")
seed = draw["seed"] if "seed" in draw else joint_seed(draw)
print("seed", seed, "of one publisher" if "seed" in draw else "of " + " ".join(draw["reveals"]))
need(draw["groups"] and all(group["drawn"] for group in draw["groups"]), "nobody was drawn")
wrong, names = verify_teams.differ(draw, seed), set()
for group in draw["groups"]:
    plain = [(m, 1) if isinstance(m, str) else (m["id"], m["weight"]) for m in group["pool"]]
    for name, weight in plain:
        need(re.fullmatch("[0-9A-Za-z-]{1,64}", name), f"{name} cannot be drawn")
        need(name not in names, f"{name} is there twice")
        need(1 <= weight <= 100, f"weight of {name}")
        names.add(name)
    right = [n for _, n in sorted(smallest_ticket(seed, *m) for m in plain)][: len(group["drawn"])]
    wrong += right != group["drawn"]
    print(group["name"], "as published" if right == group["drawn"] else f"should be {right}")
sys.exit(1 if wrong else 0)
