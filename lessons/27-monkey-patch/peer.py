"""Monkey patch: the same as src/main.rs, in Python.

The module socket is used as it is, and then once more when gevent has replaced
what is in it.
"""

import socket
import sys
import threading
import time
from pathlib import Path

import gevent
from gevent import monkey

sys.path.append(str(Path(__file__).resolve().parents[1]))
from local_site import Site
from peer_options import parser

PAGES = 8


def get(address, path):
    """One question and its answer; it never says which socket it has."""
    with socket.create_connection(address) as connection:
        question = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"
        connection.sendall(question.encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, page = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.0 200 "), head
    return page


def eight_pages(address, each=1):
    """How many bytes each asker got, and how many waited at once at most."""
    waiting, peak = 0, 0

    def ask(n):
        nonlocal waiting, peak
        size = 0
        for _ in range(each):
            waiting += 1
            peak = max(peak, waiting)
            size += len(get(address, f"/pages/{n}"))
            waiting -= 1
        return size

    greenlets = [gevent.spawn(ask, n) for n in range(1, PAGES + 1)]
    gevent.joinall(greenlets, raise_error=True)
    return [greenlet.value for greenlet in greenlets], peak


def show(kind, slow):
    start = time.perf_counter()
    lengths, peak = eight_pages(slow)
    took = time.perf_counter() - start
    print(f"{kind}: bytes {lengths}, waiting at once: {peak}, {took:.3f} s")


def measure(label, quick):
    each = 50
    start = time.perf_counter()
    sizes, _ = eight_pages(quick, each)
    seconds = (time.perf_counter() - start) / (PAGES * each)
    print(f"figure\t{label}\t{seconds:.9f}\t{sum(sizes)}")


def a_client_that_yields(address):
    """urllib is imported when everything is patched, as it has to be."""
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    url = f"http://{address[0]}:{address[1]}/pages/"

    def ask(n):
        with opener.open(f"{url}{n}", timeout=10) as answer:
            return len(answer.read())

    start = time.perf_counter()
    greenlets = [gevent.spawn(ask, n) for n in range(1, PAGES + 1)]
    gevent.joinall(greenlets, raise_error=True)
    took = time.perf_counter() - start
    lengths = [greenlet.value for greenlet in greenlets]
    print(f"urllib, patched: bytes {lengths}, {took:.3f} s")


def main():
    speed = parser(__doc__).parse_args().speed
    print("starts the local site; cargo builds it first if it must", flush=True)
    with Site(0.3 / speed) as slow, Site() as quick:
        before = socket.socket
        show("socket as it is", slow.address)
        measure("a page, blocking socket", quick.address)
        monkey.patch_socket()
        print("the class behind socket.socket is another now:",
              socket.socket is not before)
        show("socket, patched", slow.address)
        measure("a page, yielding socket", quick.address)
        a_client_that_yields(slow.address)
    assert threading.active_count() == 1


if __name__ == "__main__":
    main()
