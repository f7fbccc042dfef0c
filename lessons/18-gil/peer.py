"""GIL: many threads, one interpreter. The same as src/main.rs, in Python."""

import argparse
import asyncio
import dis
import math
import multiprocessing
import sys
import threading
import time

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


def run_processes(number, body, *args):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=body, args=args) for _ in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def run_one_by_one(number, body, *args):
    for _ in range(number):
        body(*args)


async def run_coroutines(number, body, *args):
    await asyncio.gather(*(body(*args) for _ in range(number)))


async def coroutine_product(up_to):
    # No await: while one computes, no other goes on.
    product(up_to)


def five_ways(speed, full):
    up_to, waits, seconds = (100_000, 100, 2.0) if full else (8_000, 20, 0.25)
    seconds /= speed

    def measure(label, body, *args):
        start = time.perf_counter()
        body(*args)
        print(f"figure\t{label}\t{time.perf_counter() - start:.12f}", flush=True)

    def coroutines(number, body, *args):
        asyncio.run(run_coroutines(number, body, *args))

    measure("compute: one by one", run_one_by_one, 16, product, up_to)
    measure("wait: one by one", run_one_by_one, waits, time.sleep, seconds)
    measure("compute: processes", run_processes, 16, product, up_to)
    measure("wait: processes", run_processes, waits, time.sleep, seconds)
    # Both are Python's threads, which have the lock whether one wants it or not.
    for way in ("threads", "under the lock"):
        measure(f"compute: {way}", run_threads, 16, product, up_to)
        measure(f"wait: {way}", run_threads, waits, time.sleep, seconds)
    measure("compute: coroutines", coroutines, 16, coroutine_product, up_to)
    measure("wait: coroutines", coroutines, waits, asyncio.sleep, seconds)


def speed(text):
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError("give a number above 0")
    return number


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=speed, default=1.0)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()

    one_line()
    compute_with_lock()
    wait_with_lock(options.speed)
    several_instructions()
    one_instruction()
    five_ways(options.speed, options.full)


if __name__ == "__main__":
    main()
