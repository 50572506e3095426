"""What lies in a node's store, read from its files while it runs, by no code of hallsync (storage/FORMAT.md has the bytes).

    peek = Peek(hall)
    peek.streams()      # Stream(partition, node, origin, lane, first, last), ascending
    peek.receipts()     # (partition, origin, lane) of each receipt
    peek.records()      # partition -> how many record states
"""
import ctypes
import ctypes.util
import os
from collections import Counter, namedtuple
from hashlib import blake2b

from region import check, protobuf_fields

Stream = namedtuple("Stream", "partition node origin lane first last")
REGION = 65535
LANES = {1: "work", 2: "money", 3: "people", 4: "bulk"}

RDONLY = 0x20000
FIRST, LAST, NEXT, PREVIOUS, AT_OR_BEHIND = 0, 6, 8, 12, 17
NOT_FOUND = -30798


class Value(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_void_p)]

    def bytes(self):
        return ctypes.string_at(self.data, self.size)


def library():
    lmdb = ctypes.CDLL("liblmdb.so.0")
    pointer, value = ctypes.c_void_p, ctypes.POINTER(Value)
    for name, *types in (("mdb_env_create", pointer), ("mdb_env_set_maxdbs", pointer, ctypes.c_uint),
                         ("mdb_env_open", pointer, ctypes.c_char_p, ctypes.c_uint, ctypes.c_uint), ("mdb_env_close", pointer),
                         ("mdb_txn_begin", pointer, pointer, ctypes.c_uint, pointer), ("mdb_txn_abort", pointer),
                         ("mdb_dbi_open", pointer, ctypes.c_char_p, ctypes.c_uint, pointer),
                         ("mdb_cursor_open", pointer, ctypes.c_uint, pointer), ("mdb_cursor_close", pointer),
                         ("mdb_cursor_get", pointer, value, value, ctypes.c_int), ("mdb_txn_commit", pointer),
                         ("mdb_env_set_mapsize", pointer, ctypes.c_size_t),
                         ("mdb_put", pointer, ctypes.c_uint, value, value, ctypes.c_uint)):
        getattr(lmdb, name).argtypes = types
    return lmdb


LMDB = library()


class Table:
    """A cursor over a snapshot of one table; an environment of its own each time, closed at the end."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name

    def __enter__(self):
        self.env, self.txn, self.cursor = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        table = ctypes.c_uint()
        self.must(LMDB.mdb_env_create(ctypes.byref(self.env)))
        self.must(LMDB.mdb_env_set_maxdbs(self.env, 64))
        self.must(LMDB.mdb_env_open(self.env, self.directory.encode(), RDONLY, 0o600))
        self.must(LMDB.mdb_txn_begin(self.env, None, RDONLY, ctypes.byref(self.txn)))
        opened = LMDB.mdb_dbi_open(self.txn, self.name.encode(), 0, ctypes.byref(table))
        if opened != NOT_FOUND:  # a table that is not there is an empty one
            self.must(opened)
            self.must(LMDB.mdb_cursor_open(self.txn, table, ctypes.byref(self.cursor)))
        return self

    def __exit__(self, *error):
        if self.cursor:
            LMDB.mdb_cursor_close(self.cursor)
        LMDB.mdb_txn_abort(self.txn)
        LMDB.mdb_env_close(self.env)

    def must(self, code):
        check(code == 0, f"{self.directory}, table {self.name}: LMDB says {code}")

    def go(self, where, key=b""):
        """(key, row) there, or None."""
        if not self.cursor:
            return None
        held = ctypes.create_string_buffer(key, len(key))
        at, row = Value(len(key), ctypes.addressof(held)), Value()
        code = LMDB.mdb_cursor_get(self.cursor, at, row, where)
        if code == NOT_FOUND:
            return None
        self.must(code)
        return at.bytes(), row.bytes()

    def rows(self):
        at = self.go(FIRST)
        while at is not None:
            yield at
            at = self.go(NEXT)


def overwrite(directory, name, key, row):
    """One row of a stopped store's table, whose pages stay whole: what a disk returns that has changed a byte."""
    env, txn, table = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_uint()

    def must(code):
        check(code == 0, f"{directory}, table {name}: LMDB says {code}")

    must(LMDB.mdb_env_create(ctypes.byref(env)))
    must(LMDB.mdb_env_set_maxdbs(env, 64))
    must(LMDB.mdb_env_set_mapsize(env, 1 << 34))
    must(LMDB.mdb_env_open(env, directory.encode(), 0, 0o600))
    must(LMDB.mdb_txn_begin(env, None, 0, ctypes.byref(txn)))
    must(LMDB.mdb_dbi_open(txn, name.encode(), 0, ctypes.byref(table)))
    held, put = ctypes.create_string_buffer(key, len(key)), ctypes.create_string_buffer(row, len(row))
    must(LMDB.mdb_put(txn, table, Value(len(key), ctypes.addressof(held)), Value(len(row), ctypes.addressof(put)), 0))
    must(LMDB.mdb_txn_commit(txn))
    LMDB.mdb_env_close(env)


def miswrite(directory, old, new):
    """In the records of a stopped store one record, which has the bytes @old, gets @new in their place, with all its checksums and
    digests: what a program would have left that has made another content of the same operations.  Answers its kind and id."""
    with Table(directory, "state") as table:
        found = [(key, row) for key, row in table.rows() if row.count(old) == 1]
    check(len(found) == 1 and len(old) == len(new), f"{old} stands in {len(found)} records")
    key, row = found[0]
    state = row[32:].replace(old, new)
    before, after = row[:32], blake2b(b"hallsync record 1\0" + key + state, digest_size=32).digest()
    leaf = number(blake2b(b"hallsync leaf 1\0" + key, digest_size=32).digest()[:2]) >> 4
    place = key[:2] + key[3:5]  # without the lane
    overwrite(directory, "state", key, after + state)
    for name, at in (("root", place), ("leaf", place + leaf.to_bytes(2, "big"))):
        with Table(directory, name) as table:
            tally = dict(table.rows())[at]
        total = int.from_bytes(tally[8:], "little") - int.from_bytes(before, "little") + int.from_bytes(after, "little")
        overwrite(directory, name, at, tally[:8] + (total % (1 << 256)).to_bytes(32, "little"))
    return number(key[3:5]), key[5:]


def number(data):
    return int.from_bytes(data, "big")


class Peek:
    def __init__(self, node):
        self.node = node
        self.log, self.state = (os.path.join(node.dir, part) for part in ("log", "records"))

    def table(self, name):
        with Table(self.log, name) as table:
            return list(table.rows())

    def nodes(self):
        """Origin -> id of the node that it is of."""
        names = {key: protobuf_fields(protobuf_fields(protobuf_fields(row)[2])[1])[1].decode() for key, row in self.table("certificate")}
        return {number(key): names.get(row[:32]) for key, row in self.table("origin")}

    def streams(self):
        """Every stream with an operation or a checkpoint; `first` is the number of its lowest row."""
        found, nodes = [], self.nodes()
        with Table(self.log, "op") as table:
            at = table.go(FIRST)
            while at is not None:
                stream, first = at[0][:11], number(at[0][11:19])
                behind = table.go(AT_OR_BEHIND, stream + b"\xff" * 9)
                last = table.go(PREVIOUS) if behind is not None else table.go(LAST)
                partition, origin, lane = number(stream[:2]), number(stream[2:10]), stream[10]
                found.append(Stream(partition, nodes.get(origin), origin, LANES.get(lane, lane), first, number(last[0][11:19])))
                at = behind and table.go(AT_OR_BEHIND, stream + b"\xff" * 9)
        return found

    def receipts(self):
        return [(number(key[:2]), number(key[2:10]), LANES.get(key[10], key[10])) for key, _ in self.table("receipt")]

    def records(self):
        counts = Counter()
        if self.node.process:
            self.node.digests()  # what is asked for is committed for it
        with Table(self.state, "state") as table:
            for key, _ in table.rows():
                counts[number(key[:2])] += 1
        return counts


def outside(node, districts, of=()):
    """What the node has that nobody should have sent it: streams, and receipts for such, of districts outside the scope, unless they
    are its own or of one of the nodes named."""
    peek, scope, names = Peek(node), {REGION, *(int(district) for district in districts)}, {node.name, *of}
    nodes = peek.nodes()
    streams = [stream for stream in peek.streams() if stream.partition not in scope and stream.node not in names]
    receipts = [receipt for receipt in peek.receipts() if receipt[0] not in scope and nodes.get(receipt[1]) not in names]
    return streams + receipts
