"""IP database: look up and store. The same as src/main.rs, in Python.

gevent's greenlets look up, as everything is patched, and one more stores.
"""

from gevent import monkey

monkey.patch_all()

import json
import os
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import ProxyHandler, build_opener

import gevent
import pymysql
from gevent.queue import Queue

sys.path.append(str(Path(__file__).resolve().parents[1]))
from local_site import Site
from peer_options import parser

BATCH = 5
ROWS = 20
KNOWN = """
    1.1.1.1 8.8.8.8 9.9.9.9 77.88.8.8 114.114.114.114 119.29.29.29 192.5.5.241 193.0.14.129
    208.67.222.222 223.5.5.5
""".split()
FAULTS = {"8.8.8.8": "500", "77.88.8.8": "html", "193.0.14.129": "bare"}
ATTACK = "U', 'N'), ('203.0.113.6', 'smuggled"
PATIENCE = 10

# No proxy from the environment.
OPENER = build_opener(ProxyHandler({}))


class Sqlite:
    """A table `ips` in a file."""

    table = """CREATE TABLE IF NOT EXISTS ips (
        id INTEGER PRIMARY KEY AUTOINCREMENT, ip VARCHAR(45) NOT NULL UNIQUE,
        city VARCHAR(40) NOT NULL CHECK (length(city) <= 40),
        country VARCHAR(40) NOT NULL CHECK (length(country) <= 40))"""
    or_update = (" ON CONFLICT (ip) DO UPDATE"
                 " SET city = excluded.city, country = excluded.country")
    mark = "?"

    def __init__(self, file):
        self.connection = sqlite3.connect(file, isolation_level=None)
        self.run(self.table)

    def run(self, sql, values=()):
        cursor = self.connection.cursor()
        cursor.execute(sql, values)
        return cursor.fetchall()


class MySql(Sqlite):
    """The same in MySQL or MariaDB."""

    table = """CREATE TABLE IF NOT EXISTS ips (
        id BIGINT PRIMARY KEY AUTO_INCREMENT, ip VARCHAR(45) NOT NULL UNIQUE,
        city VARCHAR(40) NOT NULL, country VARCHAR(40) NOT NULL
        ) DEFAULT CHARACTER SET utf8mb4"""
    or_update = " ON DUPLICATE KEY UPDATE city = VALUES(city), country = VALUES(country)"
    mark = "%s"

    def __init__(self, url):
        strict = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')"
        self.connection = pymysql.connect(
            host=url.hostname, port=url.port or 3306, user=unquote(url.username or "root"),
            password=unquote(url.password or os.environ.get("MYSQL_PWD", "")),
            database=unquote(url.path[1:]), charset="utf8mb4", autocommit=True,
            connect_timeout=PATIENCE, read_timeout=PATIENCE, write_timeout=PATIENCE,
            init_command=strict)
        self.run(self.table)


def store(database, rows):
    """All in one statement; the values are bound."""
    places = ", ".join([f"({', '.join([database.mark] * 3)})"] * len(rows))
    sql = f"INSERT INTO ips (ip, city, country) VALUES {places}{database.or_update}"
    database.run(sql, [value for row in rows for value in row])


def paste(database, ip, city, country):
    """What nobody should do."""
    database.run(f"INSERT INTO ips (ip, city, country) VALUES ('{ip}', '{city}', '{country}')")


def rows_of(database, addresses):
    marks = ", ".join([database.mark] * len(addresses))
    sql = f"SELECT id, ip, city, country FROM ips WHERE ip IN ({marks}) ORDER BY id"
    return database.run(sql, list(addresses))


def remove(database, addresses):
    marks = ", ".join([database.mark] * len(addresses))
    database.run(f"DELETE FROM ips WHERE ip IN ({marks})", list(addresses))


def look_up(base, address, ms=None):
    """Address, city and country; an exception says why not."""
    late = "" if ms is None else f"?ms={ms}"
    with OPENER.open(f"{base}{address}{late}", timeout=20) as reply:
        answer = json.loads(reply.read())
    if answer["status"] != "success":
        raise ValueError(answer["message"])
    return address, answer["city"], answer["country"]


def fill(database, base, addresses, late=lambda n: None):
    """Looks all addresses up at once, and stores what is found: who is missing?"""
    found, missing = Queue(), []

    def ask(n, address):
        try:
            found.put(look_up(base, address, late(n)))
        except Exception as error:
            missing.append((address, f"{type(error).__name__}: {error}"))

    def write():
        """None, or why it could not; gevent would print what is raised here."""
        try:
            write_all()
        except (sqlite3.Error, pymysql.Error) as error:
            return error

    def write_all():
        batch = []
        for row in found:
            batch.append(row)
            if len(batch) == BATCH:
                store(database, batch)
                batch = []
        if batch:
            store(database, batch)

    writer = gevent.spawn(write)
    askers = [gevent.spawn(ask, *job) for job in enumerate(addresses)]
    gevent.joinall(askers, raise_error=True)
    found.put(StopIteration)
    failed = writer.get()
    if failed:
        raise failed
    return missing


def show(rows, missing=()):
    for address, why in missing:
        print(f"not stored: {address}: {why}")
    for row in rows:
        print("%3d  %-15s  %s, %s" % row)


def look_up_and_store(database, base, addresses, late):
    missing = fill(database, base, addresses, late)
    rows = rows_of(database, addresses)
    show(rows, missing)
    return len(missing)


def three_fail(folder, latency):
    faults = [f"--fault={fault}@/json/{address}" for address, fault in FAULTS.items()]
    database = Sqlite(os.path.join(folder, "three_fail.db"))
    with Site(latency, *faults) as site:
        missing = fill(database, site.url + "/json/", KNOWN)
    show(rows_of(database, KNOWN), missing)


def twice_is_not_double(database, base, addresses, late):
    for when in ("once", "twice"):
        fill(database, base, addresses, late)
        rows = len(rows_of(database, addresses))
        print(f"rows, done {when}: {rows}")


def bound_not_pasted(database):
    pair = ["203.0.113.5", "203.0.113.6"]
    remove(database, pair)
    for city in ("L'Aquila", ATTACK):
        try:
            paste(database, pair[0], city, "Nowhere")
        except (sqlite3.Error, pymysql.Error) as error:
            print(f"pasted: {error}")
        print("pasted:", [row[2] for row in rows_of(database, pair)])
        remove(database, pair)
        store(database, [(pair[0], city, "Nowhere")])
        print("bound:", [row[2] for row in rows_of(database, pair)])
        remove(database, pair)


def refused(folder):
    database = Sqlite(os.path.join(folder, "refused.db"))
    try:
        store(database, [("9.9.9.9", "x" * 41, "somewhere")])
    except sqlite3.Error as error:
        print(f"a city that is too long: {error}")
    database.run("DROP TABLE ips")
    database.run("CREATE TABLE ips (id INTEGER, ip TEXT, place TEXT)")
    try:
        rows_of(database, KNOWN)
    except sqlite3.Error as error:
        print(f"another table ips: {error}")


def price(database, base):
    networks = [address.rsplit(".", 1)[0] for address in KNOWN[:3]]
    others = [f"{network}.{last}" for last in range(2, 6) for network in networks]
    start = time.perf_counter()
    askers = [gevent.spawn(look_up, base, ip) for ip in (KNOWN + others)[:ROWS]]
    gevent.joinall(askers, raise_error=True)
    seconds = time.perf_counter() - start
    figure("20 look-ups at once", seconds, len({asker.value[0] for asker in askers}))

    rows = [(f"198.18.0.{n}", "Utopia", "Nowhere") for n in range(ROWS)]
    addresses = [row[0] for row in rows]
    remove(database, addresses)
    for label, size in (("20 rows, a statement each", 1), ("20 rows, one statement", ROWS)):
        start = time.perf_counter()
        for first in range(0, ROWS, size):
            store(database, rows[first:first + size])
        seconds = time.perf_counter() - start
        figure(label, seconds, len(rows_of(database, addresses)))
        remove(database, addresses)


def figure(label, seconds, result):
    print(f"figure\t{label}\t{seconds:.9f}\t{result}")


def opened(url, folder):
    """The database that was chosen; its password is told to nobody."""
    if url is None:
        return Sqlite(os.path.join(folder, "ips.db"))
    if url.startswith("sqlite:"):
        return Sqlite(url.removeprefix("sqlite:").removeprefix("//"))
    parts = urlsplit(url)
    if parts.scheme not in ("mysql", "mariadb") or not parts.hostname or len(parts.path) < 2:
        sys.exit("peer.py: --database: give sqlite://FILE or mysql://USER:PASSWORD@HOST/DATABASE")
    return MySql(parts)


def main():
    known = parser(__doc__)
    known.add_argument("--database", help="sqlite://FILE or mysql://USER:PASSWORD@HOST/DATABASE")
    known.add_argument("--url", help="a service such as http://ip-api.com/json/")
    options = known.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        try:
            run(options, folder)
        except (OSError, ValueError, sqlite3.Error, pymysql.Error) as error:
            sys.exit(f"peer.py: {error}")


def run(options, folder):
    def late(n):
        return int(1000 * (0.3 + 0.1 * n) / options.speed)

    database = opened(options.database, folder)
    if options.url:
        base = options.url.rstrip("/") + "/"
        missing = look_up_and_store(database, base, KNOWN, lambda n: None)
        sys.exit(1 if missing else 0)
    with Site() as site:
        base = site.url + "/json/"
        look_up_and_store(database, base, KNOWN, late)
        three_fail(folder, 0.3 / options.speed)
        twice_is_not_double(database, base, KNOWN, late)
    bound_not_pasted(database)
    refused(folder)
    with Site(0.2 / options.speed) as site:
        price(database, site.url + "/json/")


if __name__ == "__main__":
    main()
