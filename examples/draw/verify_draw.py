"""Works a published draw out again: python3 verify_draw.py draw.json

Needs nothing but Python. The rule is in docs/draw.md; it was written from there, and shares no
code with the program that made the draw.
"""

import hashlib
import json
import sys


def sha256(*pieces):
    return hashlib.sha256(b"".join(pieces))


def joint_seed(draw):
    plan = bytes.fromhex(draw["plan_id"])
    revision = draw["revision"].to_bytes(4, "big")
    if set(draw["commitments"]) != set(draw["reveals"]):
        sys.exit("not every city has shown what it committed to")
    for city, shown in draw["reveals"].items():
        random = bytes.fromhex(shown)
        made = sha256(b"liandong/draw/v1", plan, revision, city.encode("ascii"), random)
        if len(random) != 32 or made.hexdigest() != draw["commitments"][city]:
            sys.exit(f"{city} has shown what it had not committed to")
    cities = sorted(draw["reveals"])
    shown = [bytes.fromhex(draw["reveals"][city]) for city in cities]
    return sha256(b"liandong/draw-seed/v1", *shown).hexdigest()


def smallest_ticket(seed, member):
    if isinstance(member, str):
        member = {"id": member, "weight": 1}
    tickets = [f"{seed}\x1f{member['id']}"]
    tickets += [f"{seed}\x1f{member['id']}\x1f{n}" for n in range(1, member["weight"])]
    return min(sha256(ticket.encode()).digest() for ticket in tickets), member["id"]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        draw = json.load(file)
    seed = draw["seed"] if "seed" in draw else joint_seed(draw)
    print("seed", seed)
    wrong = 0
    for group in draw["groups"]:
        ranked = sorted(smallest_ticket(seed, member) for member in group["pool"])
        right = [identifier for _, identifier in ranked[: len(group["drawn"])]]
        same = right == group["drawn"]
        wrong += not same
        print(group["name"], "as published" if same else f"should be {right}")
    sys.exit(1 if wrong else 0)


main()
