#!/usr/bin/env python3
"""Scopes that do not fit are refused by name, in the log of both ends and in the status of who dials: hubs under smaller ones, in a loop,
or beside each other with a part in common; halls and witnesses of districts that the other end does not have."""
from region import Region, check, equal, until

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}


def log_of(node):
    return open(node.log, errors="replace").read()


def refused(dialler, listener, *words):
    """The dialler is refused by the listener with these words, and both logs have them."""
    def peer():
        return [p for p in dialler.status()["peers"] if p.get("address", "").endswith(f":{listener.port}") and p["state"] == "refused"]

    why = until(f"{dialler.name} is refused by {listener.name}", peer, 20)[0]["why"]
    for word in words:
        check(word in why, f"'{word}' is not in: {why}")
    for node in (dialler, listener):
        until(f"{node.name} logs it", lambda: [line for line in log_of(node).splitlines()
                                               if "refused" in line and all(word in line for word in words)], 20)
    equal(len([line for line in log_of(dialler).splitlines() if "upstream-failed" in line and all(word in line for word in words)]), 1,
          "however often it is tried, told once")


with Region("scopes that do not fit are refused by name") as region:
    province = region.hub("province", **QUICK)

    def city(name, districts, *upstreams):
        hub = region.further_hub(name, province, start=False, **QUICK)
        hub.scope(districts)
        if upstreams:
            hub.dials(*upstreams)
        return region.open(hub)

    city_a = city("city-a", ["3201", "3202"])
    until("the first city is live", lambda: "province" in city_a.live() and "city-a" in province.live(), 20)
    equal((province.live()["city-a"]["districts"], city_a.live()["province"]["districts"]), (["3201", "3202"], []), "what each holds")

    # Beside it, with one district in common.
    city_b = city("city-b", ["3202", "3203"])
    refused(city_b, province, "city-a", "city-b", "3202")
    city_b.stop()  # when the province starts anew, the first of the two that comes is taken

    # Under a hub that holds less: the whole region under a city, a city under another.
    above = region.further_hub("above", province, start=False, **QUICK)
    above.dials(city_a)
    region.open(above)
    refused(above, city_a, "city-a", "above")
    city_c = city("city-c", ["3204"], city_a)
    refused(city_c, city_a, "city-a", "3204")

    # A loop of tiers: the province dials its own city.
    province.stop()
    province.dials(city_a)
    province.start()
    refused(province, city_a, "city-a", "province")
    until("the other direction stands", lambda: "province" in city_a.live(), 20)

    # A hall, and a witness, of districts that the other end does not have.
    hall = region.hall("hall-3209", province, ["3209"], start=False, **QUICK)
    witness = region.witness("witness-3201", province, ["3201"], **QUICK)
    hall.dials(city_a, (witness, "witness"))
    hall.start()
    refused(hall, city_a, "city-a", "3209")
    refused(hall, witness, "witness-3201", "3209")
    equal(hall.status()["problems"], [], "its own configuration is in order")
    hall.json("customer", "put", "account=3209000001", "name=Works all the same")

    # A hall whose configuration names a district that it was not given: it holds the others, and says so.
    hall.stop()
    hall.dials(province)
    hall.rewrite_conf(lambda text: text + '\nscope:\n  districts: ["3209", "3201"]\n')
    hall.start()
    problems = hall.status()["problems"]
    check(len(problems) == 1 and "3201 is not in this node's certificate" in problems[0], f"problems: {problems}")
    check("3201 is not in this node's certificate" in log_of(hall), "in the log")
    equal(hall.status()["scope"], ["3209"], "what it holds")
    until("it is live", lambda: "province" in hall.live(), 20)
