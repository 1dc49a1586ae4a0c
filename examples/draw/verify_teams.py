"""Works out again which officers go to each site that was drawn; verify_draw.py calls it."""

import hashlib


def place(at, orders, sits, tried):
    """Finds one more officer for a visit: a free one, else one whose own seat can be filled."""
    free = [who for who in orders[at] if who not in sits]
    if free:
        sits[free[0]] = at
        return True
    for who in orders[at]:
        if sits[who] != at and who not in tried:
            tried.add(who)
            if place(sits[who], orders, sits, tried):
                sits[who] = at
                return True
    return False


def seated(orders, seats):
    sits = {}
    for at in range(len(orders)):
        for _ in range(seats):
            if not place(at, orders, sits, set()):
                break
    return [[who for who in order if sits.get(who) == at] for at, order in enumerate(orders)]


def differ(draw, seed):
    teams, wrong, before = draw.get("teams"), 0, {}
    if teams is None:
        print("officers are not in this file")
        return 0

    def order(site, half_day, cities, busy):
        found = []
        for one in (one for city in cities for one in teams["officers"].get(city, [])):
            first, last = one.get("half_days", (half_day, half_day))
            stays = one["id"] in busy or {site, "*"} & set(one.get("recused", []))
            if first <= half_day <= last and not stays:
                ticket = f"{seed}\x1f{site}\x1f{one['id']}"
                found.append((hashlib.sha256(ticket.encode()).digest(), one["id"]))
        return [officer for _, officer in sorted(found)]

    visits, sites = teams["visits"], [visit["site"] for visit in teams["visits"]]
    drawn = [site for group in draw["groups"] for site in group["drawn"]]
    named = sites[: len(sites) - len(drawn)]
    wrong += sites != sorted(named) + drawn or len(set(sites)) != len(sites)
    for visit in visits:
        nth = before[visit["city"]] = before.get(visit["city"], -1) + 1
        wrong += visit["half_day"] != nth % teams["half_days"]
    for day in {visit["half_day"] for visit in visits}:
        now, busy = [visit for visit in visits if visit["half_day"] == day], set()
        for host in {visit["city"] for visit in now}:
            own = [visit for visit in now if visit["city"] == host]
            orders = [order(visit["site"], day, [host], set()) for visit in own]
            for visit, lead in zip(own, seated(orders, teams["lead_officers"])):
                wrong += visit["lead"] != lead
                busy.update(lead)
        others = [[c for c in teams["officers"] if c != visit["city"]] for visit in now]
        orders = [order(v["site"], day, cities, busy) for v, cities in zip(now, others)]
        for visit, guests in zip(now, seated(orders, teams["guest_officers"])):
            wrong += visit["guests"] != guests
    print("officers", f"differ in {wrong} places" if wrong else "as published")
    return wrong
