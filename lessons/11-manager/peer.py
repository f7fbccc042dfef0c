"""Manager: one dictionary, many processes. The same as src/main.rs, in Python."""

import multiprocessing
import os
import random
import signal
import socket
import sys
import time
from multiprocessing import util
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser


def run_all(targets):
    children = [multiprocessing.Process(target=target) for target in targets]
    for child in children:
        child.start()
    for child in children:
        child.join()


def all_write(pause):
    with multiprocessing.Manager() as manager:
        stock, came = manager.dict(), manager.list()

        def seller(name, apples):
            def bring():
                pause(random.uniform(0.5, 1.5))
                stock[name] = apples
                came.append(name)

            return bring

        names = {"Anna": 10, "Ben": 20, "Cleo": 30, "Dora": 40}
        run_all(seller(name, apples) for name, apples in names.items())
        print("dictionary:", stock)
        print("list:", came)


def two_sell(sell, pause):
    """Two sellers sell an apple each; says how many are left of 100."""
    with multiprocessing.Manager() as manager:
        stock, lock = manager.dict(apples=100), multiprocessing.Lock()
        both_have_looked = multiprocessing.Barrier(2)

        def seller():
            pause(random.uniform(0.5, 1.5))
            sell(stock, lock, both_have_looked)

        run_all([seller, seller])
        print("apples left:", stock["apples"])


def lost_update(pause):
    def sell(stock, _lock, both_have_looked):
        apples = stock["apples"]
        both_have_looked.wait()
        pause(0.5)
        stock["apples"] = apples - 1

    two_sell(sell, pause)


def update(pause):
    # A proxy has no `update` of this kind: whoever looks has to lock.
    def sell(stock, lock, _both_have_looked):
        with lock:
            apples = stock["apples"]
            pause(0.5)
            stock["apples"] = apples - 1

    two_sell(sell, pause)


def killed(pause):
    manager = multiprocessing.Manager()
    stock, came = manager.dict(apples=100), manager.list()
    calls = {
        "get": lambda: stock.get("apples"),
        "insert": lambda: stock.__setitem__("apples", 7),
        "update": lambda: stock.update(apples=8),
        "push": lambda: came.append("Anna"),
    }

    def seller(name, call):
        def ask():
            try:
                while True:
                    call()
                    pause(0.1)
            except (EOFError, OSError) as error:
                print(f"{name}: {error!r}", flush=True)

        return ask

    sellers = [multiprocessing.Process(target=seller(*item)) for item in calls.items()]
    for child in sellers:
        child.start()
    pause(1.0)
    os.kill(manager._process.pid, signal.SIGKILL)
    for child in sellers:
        child.join()
    manager._process.join()


def nonsense(pause):
    with multiprocessing.Manager() as manager:
        stock = manager.dict(apples=100)
        strangers = []
        for nonsense in (b"GET /apples HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x03\xff\xff\xff", b"\x00\x00\x00\xc8\x01"):
            stranger = socket.socket(socket.AF_UNIX)
            stranger.connect(manager.address)
            stranger.sendall(nonsense)
            strangers.append(stranger)
        for _ in range(10):
            stock["apples"] -= 1
            pause(0.1)
        for stranger in strangers:
            stranger.close()
        print("apples left:", stock["apples"])


def measure(label, body):
    times = 2_000
    start = time.perf_counter()
    result = body(times)
    seconds = (time.perf_counter() - start) / times
    print(f"figure\t{label}\t{seconds:.12f}\t{result}")


def price():
    def get_from(dictionary):
        def get(times):
            total = 0
            for _ in range(times):
                total += dictionary["apples"]
            return total

        return get

    measure("own dictionary: get", get_from({"apples": 100}))
    with multiprocessing.Manager() as manager:
        stock, lock = manager.dict(apples=100), multiprocessing.Lock()

        def update(times):
            for _ in range(times):
                with lock:
                    stock["apples"] += 1
            return stock["apples"]

        measure("manager: get", get_from(stock))
        measure("manager: update", update)


def main():
    speed = parser(__doc__).parse_args().speed
    # Closures reach a child by a copy of the memory only.
    multiprocessing.set_start_method("fork")
    # Made here, or a manager that is killed leaves it behind.
    util.get_temp_dir()

    def pause(seconds):
        time.sleep(seconds / speed)

    all_write(pause)
    lost_update(pause)
    update(pause)
    killed(pause)
    nonsense(pause)
    price()


if __name__ == "__main__":
    main()
