"""GIL: many threads, one interpreter. The same as src/main.rs, in Python."""

import asyncio
import dis
import math
import multiprocessing
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

counter = 0


def one_line():
    def add():
        global counter
        counter += 1

    for instruction in dis.get_instructions(add):
        print(f"{instruction.opname:20}{instruction.argrepr}")


def product(up_to):
    result = 1
    for factor in range(up_to, 0, -1):
        result *= factor
    return result


def run_threads(number, body, *args):
    threads = [threading.Thread(target=body, args=args) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def compute_with_lock():
    print(f"interval: {sys.getswitchinterval() * 1000:g} ms")
    start, used = time.perf_counter(), time.process_time()
    run_threads(2, product, 10_000)
    used = time.process_time() - used
    took = time.perf_counter() - start
    # Without the lock two threads would need a Python that was built without it
    # (python3.13t and later); sys._is_gil_enabled() says which one this is.
    print(f"cores used by two threads: {used / took:.2f}")


def wait_with_lock(speed):
    start = time.perf_counter()
    run_threads(10, time.sleep, 1.0 / speed)
    took = (time.perf_counter() - start) * speed
    print(f"ten threads that sleep for 1 s took {took:.1f} s")


class Linger:
    """A call that computes until both threads have read the counter."""

    def __init__(self):
        self.came = []

    def __call__(self):
        # Appending is one instruction, and safe under the lock.
        self.came.append(1)
        while len(self.came) < 2:
            pass  # the interpreter switches threads meanwhile
        return 1


def several_instructions():
    global counter
    counter = 0

    def add(linger):
        global counter
        # Read, call, add, write: the other thread runs during the call.
        counter = counter + linger()

    run_threads(2, add, Linger())
    print("after two additions:", counter)


def one_instruction():
    added = []

    def add(linger):
        linger()
        added.append(1)

    run_threads(2, add, Linger())
    print("after two are appended:", len(added))


# Five ways to do something many times. Each returns what came of it.


def one_by_one(number, body, *args):
    return [body(*args) for _ in range(number)]


def processes(number, body, *args):
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()

    def run():
        results.put(body(*args))

    children = [context.Process(target=run) for _ in range(number)]
    for child in children:
        child.start()
    came = [results.get() for _ in children]
    for child in children:
        child.join()
    return came


def threads(number, body, *args):
    results = []

    def run():
        results.append(body(*args))

    run_threads(number, run)
    return results


async def gathered(number, body, *args):
    return await asyncio.gather(*(body(*args) for _ in range(number)))


def coroutines(number, body, *args):
    return asyncio.run(gathered(number, body, *args))


def measure(what, bodies, rounds, number, *args):
    """Measures each way in so many rounds, and prints its quickest."""
    body, coroutine = bodies
    ways = {
        "one by one": (one_by_one, body),
        "processes": (processes, body),
        # Both are Python's threads, which have the lock, wanted or not.
        "threads": (threads, body),
        "under the lock": (threads, body),
        "coroutines": (coroutines, coroutine),
    }
    best = dict.fromkeys(ways, math.inf)
    came = dict.fromkeys(ways, 0)
    for _ in range(rounds):
        for name, (run, body) in ways.items():
            start = time.perf_counter()
            results = run(number, body, *args)
            best[name] = min(best[name], time.perf_counter() - start)
            came[name] += sum(results)
    for name, seconds in best.items():
        print(f"figure\t{what}: {name}\t{seconds:.12f}\t{came[name]}", flush=True)


def remainder(up_to):
    # That of a prime which is larger than all factors.
    return product(up_to) % 1_000_000_007


async def coroutine_remainder(up_to):
    # No await: while one computes, no other goes on.
    return remainder(up_to)


def compute_five_ways(full):
    up_to, rounds = (100_000, 1) if full else (8_000, 3)
    measure("compute", (remainder, coroutine_remainder), rounds, 16, up_to)


def slept(seconds):
    begun = time.monotonic()
    time.sleep(seconds)
    return time.monotonic() - begun >= seconds


async def coroutine_slept(seconds):
    begun = time.monotonic()
    await asyncio.sleep(seconds)
    return time.monotonic() - begun >= seconds


def wait_five_ways(speed, full):
    waits, seconds = (100, 2.0) if full else (20, 0.25)
    measure("wait", (slept, coroutine_slept), 1, waits, seconds / speed)


def main():
    known = parser(__doc__)
    known.add_argument("--full", action="store_true")
    options = known.parse_args()

    one_line()
    compute_with_lock()
    wait_with_lock(options.speed)
    several_instructions()
    one_instruction()
    compute_five_ways(options.full)
    wait_five_ways(options.speed, options.full)


if __name__ == "__main__":
    main()
