"""What others need to bring the same customers into an empty node: rsync of a file, and PostgreSQL's initial copy, between the same two
namespaces.  Each is left out, by name, where it is not installed."""
import os
import shutil
import subprocess
import time

POSTGRES = "/usr/lib/postgresql/15/bin"
SETTINGS = """
listen_addresses = '{address}'
unix_socket_directories = '{run}'
wal_level = logical
shared_buffers = 256MB
max_wal_size = 4GB
checkpoint_timeout = 15min
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
wal_retrieve_retry_interval = 1s
"""
TABLE = ("CREATE TABLE customer(account text PRIMARY KEY, name text, address text, phone text, identity_no text, card_no text, tariff text, "
         "supply text, remark text)")


def until(condition, seconds=120, pause=0.01):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("waited in vain")
        time.sleep(pause)


class Rsync:
    """A daemon at the hub's end, pulled from the hall's; nothing encrypted.  The receiver syncs the file."""
    name = "rsync of the same bytes, synced, not encrypted"

    @staticmethod
    def present():
        return shutil.which("rsync") is not None

    def __init__(self, spaces, place, file):
        self.spaces, self.place = spaces, place
        os.makedirs(f"{place}/from")
        os.makedirs(f"{place}/to")
        shutil.copy(file, f"{place}/from/records")
        with open(f"{place}/rsync.conf", "w") as conf:
            conf.write(f"use chroot = no\nuid = root\ngid = root\n[m]\npath = {place}/from\n")
        command = ["rsync", "--daemon", "--no-detach", "--address=10.98.0.2", "--port=8730", f"--config={place}/rsync.conf"]
        self.process = subprocess.Popen(spaces.inside(spaces.hub, command), stderr=subprocess.DEVNULL)
        until(lambda: self.run("rsync", "rsync://10.98.0.2:8730/").returncode == 0)

    def run(self, *words):
        return subprocess.run(self.spaces.inside(self.spaces.hall, list(words)), capture_output=True)

    def copy(self):
        if os.path.exists(f"{self.place}/to/records"):
            os.unlink(f"{self.place}/to/records")
        began = time.monotonic()
        done = self.run("rsync", "--fsync", "--whole-file", "rsync://10.98.0.2:8730/m/records", f"{self.place}/to/records")
        os.sync()
        took = time.monotonic() - began
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return took

    def end(self):
        self.process.terminate()
        self.process.wait()


class Postgres:
    """Logical replication over TLS, a publisher at the hub's end, a subscriber at the hall's: from CREATE SUBSCRIPTION until all is there."""
    name = "PostgreSQL 15, initial copy over TLS"

    @staticmethod
    def present():
        return os.path.exists(f"{POSTGRES}/initdb") and shutil.which("setpriv") is not None

    def __init__(self, spaces, place, file, count):
        self.spaces, self.place, self.count, self.processes = spaces, place, count, []
        os.makedirs(place)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bench", "-keyout",
                        f"{place}/server.key", "-out", f"{place}/server.pem"], check=True, capture_output=True)
        shutil.chown(place, "postgres", "postgres")
        os.chmod(os.path.dirname(place), 0o755)
        self.cluster("hub", "10.98.0.2", spaces.hub)
        self.cluster("hall", "10.98.0.1", spaces.hall)
        header = open(file).readline().strip()
        with open(file) as rows:
            subprocess.run(self.psql("hub") + ["-c", f"COPY customer({header}) FROM STDIN WITH (FORMAT csv, HEADER)"], stdin=rows, check=True)
        self.sql("hub", "CREATE PUBLICATION p FOR TABLE customer")
        self.sql("hub", "VACUUM ANALYZE customer")

    def as_postgres(self, *words):
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words]

    def cluster(self, name, address, space):
        data = f"{self.place}/{name}"
        subprocess.run(self.as_postgres(f"{POSTGRES}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
                                        "--no-sync"), check=True, capture_output=True)
        for file in ("server.key", "server.pem"):
            shutil.copy(f"{self.place}/{file}", data)
            shutil.chown(f"{data}/{file}", "postgres", "postgres")
            os.chmod(f"{data}/{file}", 0o600)
        with open(f"{data}/postgresql.conf", "a") as conf:
            conf.write(SETTINGS.format(address=address, run=data))
        with open(f"{data}/pg_hba.conf", "w") as hba:
            hba.write("local all all trust\nhostssl all all 10.98.0.0/24 trust\n")
        command = self.as_postgres(f"{POSTGRES}/postgres", "-D", data)
        with open(f"{self.place}/{name}.log", "w") as log:
            self.processes.append(subprocess.Popen(self.spaces.inside(space, command), stderr=log, stdout=log,
                                                   env={**os.environ, "HOME": self.place}))
        until(lambda: subprocess.run(self.psql(name) + ["-c", "SELECT 1"], capture_output=True).returncode == 0)
        self.sql(name, TABLE)

    def psql(self, name):
        return ["psql", "-h", f"{self.place}/{name}", "-U", "postgres", "-XAtq", "-v", "ON_ERROR_STOP=1", "postgres"]

    def sql(self, name, statement):
        done = subprocess.run(self.psql(name) + ["-c", statement], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def copy(self):
        self.sql("hall", "DROP SUBSCRIPTION IF EXISTS s")
        self.sql("hall", "TRUNCATE customer")
        for name in ("hub", "hall"):
            self.sql(name, "CHECKPOINT")
        began = time.monotonic()
        self.sql("hall", "CREATE SUBSCRIPTION s CONNECTION 'host=10.98.0.2 user=postgres dbname=postgres sslmode=require' PUBLICATION p "
                         "WITH (binary = true)")
        until(lambda: self.sql("hall", "SELECT srsubstate FROM pg_subscription_rel") in ("r", "s"), pause=0.02)
        took = time.monotonic() - began
        if self.sql("hall", "SELECT count(*) FROM customer") != str(self.count):
            raise RuntimeError("customers are missing")
        return took

    def end(self):
        self.sql("hall", "DROP SUBSCRIPTION IF EXISTS s")
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
