"""IP look-up: 24 addresses, 24 threads. The same as src/main.rs, in Python."""

import argparse
import ipaddress
import json
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

sys.path.append(str(Path(__file__).resolve().parents[1]))
from local_site import Site
from peer_options import parser

KNOWN = """
    1.1.1.1 8.8.8.8 9.9.9.9 76.76.2.0 77.88.8.8 94.140.14.14 114.114.114.114 119.29.29.29
    170.247.170.2 185.228.168.9 192.5.5.241 192.33.4.12 192.36.148.17 192.58.128.30
    192.112.36.4 192.203.230.10 193.0.14.129 198.41.0.4 198.97.190.53 199.7.83.42
    199.7.91.13 202.12.27.33 208.67.222.222 223.5.5.5
""".split()

WRONG = {
    "1.1.1.1": "silent",
    "9.9.9.9": "429",
    "77.88.8.8": "html",
    "114.114.114.114": "garbled",
    "170.247.170.2": "bare",
    "192.5.5.241": "cut",
}

# What `requests.get` does, and no proxy from the environment.
OPENER = build_opener(ProxyHandler({}))


def read(file):
    """One a line; what stands behind a # is for people."""
    try:
        lines = [line.split("#")[0].strip() for line in file.read_text().splitlines()]
        addresses = list(dict.fromkeys(str(ipaddress.ip_address(line)) for line in lines if line))
        if not addresses:
            raise ValueError("there is none in it")
        return addresses
    except (OSError, ValueError) as error:
        sys.exit(f"peer.py: cannot take addresses from {file}; give one a line: {error}")


def look_up(base, address, limit=20):
    """City and country, or why not: never an exception."""
    try:
        with OPENER.open(base + address, timeout=limit) as reply:
            answer = json.loads(reply.read())
        if answer["status"] != "success":
            return address, answer["message"]
        return address, f"{answer['city']}, {answer['country']}"
    except HTTPError as error:
        again = error.headers.get("Retry-After")
        return address, f"{error.code} {error.reason}" + (f", again in {again} s" if again else "")
    except TimeoutError:
        return address, "no answer in time"
    except URLError as error:
        return address, str(error.reason)
    except (HTTPException, ConnectionError):
        return address, "the connection ended early"
    except KeyError as error:
        return address, f"missing field {error}"
    except TypeError:
        return address, "no JSON object"
    except ValueError:
        return address, "no JSON"


def one_by_one(base, addresses):
    return [look_up(base, address) for address in addresses]


def a_thread_each(base, addresses):
    rows = [None] * len(addresses)

    def ask(place, address):
        rows[place] = look_up(base, address)

    threads = [threading.Thread(target=ask, args=job) for job in enumerate(addresses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return rows


def with_threads(number, base, addresses, limit=20):
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(lambda address: look_up(base, address, limit), addresses))


def timed(label, way, *arguments):
    start = time.perf_counter()
    rows = way(*arguments)
    print(f"{label}: {len(rows)} rows in {time.perf_counter() - start:.2f} s")
    return rows


def table(rows):
    for address, told in rows:
        print(f"{address:>15}  {told}")


def each_row_says_why(latency, limit):
    faults = [f"--fault={fault}@/json/{address}" for address, fault in WRONG.items()]
    addresses = [*KNOWN[:-1], "192.168.7.7"]
    with Site(latency, "--retry-after", "30", *faults) as site:
        table(with_threads(6, site.url + "/json/", addresses, limit))
    with socket.socket() as nobody:  # has a port, and does not listen
        nobody.bind(("127.0.0.1", 0))
        table([look_up("http://127.0.0.1:%d/json/" % nobody.getsockname()[1], "193.0.14.129")])


def how_many_pay(base):
    for number in (3, 6, 12, 24, 48):
        start = time.perf_counter()
        rows = with_threads(number, base, KNOWN)
        result = in_short(rows)
        seconds = time.perf_counter() - start
        print(f"figure\tthreads: {number}\t{seconds:.9f}\t{result}")


def in_short(rows):
    """How many rows have a place, and how many letters these places have."""
    places = [told for _, told in rows if ", " in told]
    return [len(places), sum(map(len, places))]


def three_ways(base, addresses):
    timed("one by one", one_by_one, base, addresses)
    timed("a thread each", a_thread_each, base, addresses)
    return timed("six threads", with_threads, 6, base, addresses)


def address(text):
    if text.startswith("http://"):
        return text
    raise argparse.ArgumentTypeError("give one as in http://ip-api.com/json/")


def main():
    known = parser(__doc__)
    known.add_argument("--url", type=address, help="a service such as http://ip-api.com/json/")
    known.add_argument("--addresses", type=Path, help="a file with one a line")
    options = known.parse_args()
    addresses = KNOWN
    if options.addresses:
        addresses = read(options.addresses)
    if options.url:
        table(three_ways(options.url.rstrip("/") + "/", addresses))
        return
    latency, limit = 0.2 / options.speed, max(3 / options.speed, 0.8)
    print("starts the local site; cargo builds it first if it must", flush=True)
    with Site(latency) as site:
        table(three_ways(site.url + "/json/", addresses))
    each_row_says_why(latency, limit)
    with Site(latency) as site:
        how_many_pay(site.url + "/json/")


if __name__ == "__main__":
    main()
