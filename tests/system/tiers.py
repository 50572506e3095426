#!/usr/bin/env python3
"""Three tiers: a province, two city hubs with two districts each, a hall for each district.  What is written at the province reaches the
halls that it concerns and no others, money of one city for the other finds its way, while hubs are killed and one is replaced."""
import os
import shutil

from peek import REGION, Peek, outside
from region import Region, agree, equal, until
from witness import Clients, Witness

ROUNDS = int(os.environ.get("HS_ROUNDS") or (20 if os.environ.get("HS_LONG") else 2))
QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}
CITIES = {"city-a": ["3201", "3202"], "city-b": ["3203", "3204"]}

with Region(f"three tiers, {ROUNDS} rounds of kills, a city hub replaced") as region:
    province = region.hub("province", **QUICK)

    def city_hub(name, districts):
        hub = region.further_hub(name, province, start=False, **QUICK)
        hub.scope(districts)
        return region.open(hub)

    cities = {name: city_hub(name, districts) for name, districts in CITIES.items()}
    halls = {}
    for name, districts in CITIES.items():
        for district in districts:
            hall = region.hall(f"hall-{district}", province, [district], start=False, **QUICK)
            hall.dials(cities[name])
            hall.hub = cities[name]
            halls[district] = hall.start()
    everybody = [province, *cities.values(), *halls.values()]
    accounts = region.customers(province, 400, list(halls))
    of = {district: [account for account in accounts if account.startswith(district)] for district in halls}

    def concerned():
        """All are where they belong, and nowhere else."""
        until("all agree", lambda: agree(*everybody), 60)
        for district, hall in halls.items():
            equal(outside(hall, [district]), [], f"{hall.name} has what is outside of its scope")
        for name, hub in cities.items():
            homes = [f"hall-{district}" for district in CITIES[name]]
            equal(outside(hub, CITIES[name], homes), [], f"{hub.name} has what is outside of its scope")

    # Written at the province: for all, and for one district.
    province.json("catalogue", "put", "service_id=reconnection", "name=复电", "deadline_days=1")
    for district in ("3201", "3203"):
        province.json("notice", "put", f"notice_id=n{district}", f"district={district}", "type=planned", "text=停电")
    concerned()
    for district, hall in halls.items():
        equal(hall.json("catalogue", "get", "reconnection").object()["name"], "复电", f"{hall.name}: the catalogue")
        equal([notice["notice_id"] for notice in hall.json("notice", "list").lines()],
              [f"n{district}"] if district in ("3201", "3203") else [], f"{hall.name}: notices")
        equal(set(Peek(hall).records()) - {int(district), REGION}, set(), f"{hall.name}: records of other districts")

    # Money, a quarter of it for the other city.
    witness = Witness(region)
    counters = [Clients(witness, hall, of[district] * 3 + of["3203" if district < "3203" else "3201"], 2, pause=0.02,
                        endure=["no-link"]).start()
                for district, hall in halls.items()]
    for _ in range(ROUNDS):
        hubs = [province, *cities.values()]
        victims = region.random.sample(hubs, region.random.choice([1, 1, 2]))
        for hub in victims:
            hub.kill()
            witness.write("killed", hub)
        for clients in counters:
            clients.more(5)
        for hub in victims:
            hub.start(ready=False)
        for hub in victims:
            until(f"{hub.name} answers", hub.answers)
        for clients in counters:
            clients.more(5)
    print(f"{sum(clients.acknowledged for clients in counters)} answers in {ROUNDS} rounds", flush=True)

    # A city hub has what the province has not, and is lost for good: another takes its place, and the halls bring what was lost.
    lost = cities["city-b"]
    province.kill()
    for clients in counters:
        clients.more(5)
    for district in CITIES["city-b"]:
        halls[district].synced()
    lost.kill()
    witness.write("forgot", lost)
    shutil.rmtree(lost.dir)
    everybody.remove(lost)
    region.nodes.remove(lost)
    province.start()
    cities["city-b"] = city_hub("city-c", CITIES["city-b"])
    everybody.append(cities["city-b"])
    for district in CITIES["city-b"]:
        hall = halls[district]
        hall.stop()
        hall.dials(cities["city-b"])
        hall.hub = cities["city-b"]
        hall.start()
    for clients in counters:
        clients.more(5)
        clients.stop()
    for node in everybody:
        node.synced()
    concerned()
    equal(halls["3203"].json("customer", "get", of["3203"][0]).object()["account"], of["3203"][0], "a customer")
    witness.verify(*everybody)
