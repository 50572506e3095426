#!/usr/bin/env python3
"""The command line as scripts and people meet it: exit statuses, lines in and out in order, import and export, the feed, tables."""
import json
import os
import subprocess

from region import Region, check, equal, tool, until


def customers(count):
    return [{"account": f"3201{i:06d}", "name": f"\u738b{i}", "address": 'a "b", c'} for i in range(1, count + 1)]


with Region("the command line keeps its word") as region:
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"])

    # -- help: of everything, of a group, of one command with its own options
    for words, has, lacks in ((["--help"], ["payment add", "--window"], []), (["backup", "--help"], ["backup show", "--out"], ["--window", "bundle"]),
                              (["node", "enroll", "nj-x", "--ttl", "1h", "--help"], ["--ttl", "--rebuild"], ["node list", "--window"]),
                              (["help", "bundle", "import"], ["--answer"], ["--size"])):
        done = subprocess.run([tool("hallsync"), *words], capture_output=True, text=True)
        equal(done.returncode, 0, f"hallsync {' '.join(words)}: {done.stderr}")
        equal(([text for text in has if text not in done.stdout], [text for text in lacks if text in done.stdout]), ([], []), f"hallsync {words}")
    equal(subprocess.run([tool("hallsync"), "nothing", "--help"], capture_output=True).returncode, 2, "help of nothing")

    # -- more lines than one request takes: each answered, in order, and the bad ones named
    first = hall.status()["position"]
    equal({line["result"] for line in hall.put_lines(["customer", "put"], customers(700))}, {"created"}, "customers")
    payments = [{"payment_id": f"P-{i}", "account": f"3201{1 + i % 700:06d}", "amount_fen": 1 + i} for i in range(5000)]
    payments[1234]["amount_fen"] = -1
    payments[4321]["account"] = "3201999999"
    answers = hall.put_lines(["payment", "add"], payments, status=1)
    equal(len(answers), 5000, "an answer to each line")
    for i, line in enumerate(answers):
        if i in (1234, 4321):
            equal((line["line"], "error" in line), (i + 1, True), "a bad line is named")
        else:
            equal((line.get("id"), line.get("result")), (f"P-{i}", "created"), f"the answer to line {i + 1}")
    again = hall.put_lines(["payment", "add"], payments, status=1)
    equal(sum(line.get("result") == "exists" for line in again), 4998, "the same lines again")
    equal(hall.totals()["count"], 4998, "each counts once")

    # -- the feed: a commit that is larger than one answer is passed, from any line on
    def follow(position, enough):
        """Customers told behind the position until enough(how many, position) holds, and the position then."""
        watch = subprocess.Popen([tool("hallsync"), "-c", hall.conf, "watch", "customer", "--from", position],
                                 stdout=subprocess.PIPE, text=True)
        seen = set()
        while not enough(len(seen), position):
            line = json.loads(watch.stdout.readline())
            seen.add(line["record"]["account"])
            position = line["position"]
        watch.kill()
        watch.wait()
        watch.stdout.close()
        return seen, position

    seen, _ = follow(first, lambda count, _: count == 700)
    # inside of a commit if the node made one of the import that is larger than an answer, else at its end
    part, position = follow(first, lambda count, at: "+" in at or count == 700)
    rest, _ = follow(position, lambda count, _: count == 700 - len(part))
    equal(len(part | rest), 700, f"the feed goes on behind {position}")

    # -- export and import: the same, as CSV and as JSON lines
    for ending, words in ((".csv", []), (".jsonl", ["--json"])):
        name = os.path.join(region.dir, "customers" + ending)
        with open(name, "w") as file:
            file.write(hall.run("customer", "export", *words).out)
        hall.json("customer", "import", name)  # the first one notes in each record what this source said
        before = hall.digests()
        counts = hall.json("customer", "import", name).object()
        equal((counts["rows"], counts["unchanged"], counts["rejected"]), (700, 700, 0), f"import of an export, {ending}")
        equal(hall.digests(), before, "an import of what is there changes nothing")

    # -- an import with bad rows: they go to a file, the others in; the file goes when its rows are mended
    name = os.path.join(region.dir, "bad.csv")
    with open(name, "w") as file:
        file.write("account,name\n3201000001,ok\nxx,bad\n3201000002\n")
    counts = hall.json("customer", "import", name, status=1).object()
    equal((counts["rows"], counts["changed"], counts["rejected"]), (3, 1, 2), "an import with bad rows")
    with open(counts["rejects"]) as rejects:
        equal(sorted(line.split(",")[0] for line in rejects)[:2], ["3", "4"], "lines of the rejects")
    with open(name, "w") as file:
        file.write("account,name\n3201000001,ok\n")
    equal(hall.json("customer", "import", name).object()["unchanged"], 1, "the mended import")
    check(not os.path.exists(counts["rejects"]), "the rejects of an earlier run are gone")

    # -- statuses
    for status, words in ((0, ["customer", "get", "3201000001"]), (1, ["customer", "get", "3201999999"]), (2, ["payment"]),
                          (2, ["get", "customer"]), (2, ["customer", "get"]), (2, ["payment", "list", "--date", "2026-01-01"]),
                          (4, ["payment", "add", "account=3201999999", "amount_fen=1"]), (4, ["customer", "put", "3201000001", "x=1"])):
        equal(hall.run(*words).status, status, " ".join(words))
    equal(subprocess.run([tool("hallsync"), "-e", f"ipc://{region.dir}/none", "--timeout", "300ms", "status"],
                         capture_output=True).returncode, 3, "nobody there")
    equal(subprocess.run([tool("hallsync"), "-c", f"{region.dir}/none", "status"], capture_output=True).returncode, 2, "no file")

    # -- a conflict by its short name; a table on a terminal of a hundred columns
    hall.json("bill", "put", "B-1", "account=3201000001", "period=2026-10", "amount_fen=100")
    hall.json("payment", "add", "account=3201000001", "bill_id=B-1", "amount_fen=150")
    until("the overpaid bill is listed", lambda: "overpaid" in hall.run("conflict", "list").out, 10)
    equal(hall.json("conflict", "show", "overpaid:B-1").object()["record_id"], "B-1", "a conflict by its short name")
    equal(hall.run("conflict", "show", "overpaid:B-2").status != 0, True, "no such conflict")
    for words in (["conflict", "list"], ["payment", "list", "--limit", "5"], ["status"], ["node", "list"]):
        table = subprocess.run([tool("hallsync"), "-c", hall.conf, *words], capture_output=True, text=True,
                               env={**os.environ, "COLUMNS": "100"})
        widest = max(len(line) for line in table.stdout.splitlines())
        check(widest <= 100, f"{' '.join(words)}: {widest} columns:\n{table.stdout}")
