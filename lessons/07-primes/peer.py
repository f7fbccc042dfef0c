"""Primes: how many processes pay. The same as src/main.rs, in Python."""

import os
import sys
import time
from multiprocessing import Pool, Process, SimpleQueue, set_start_method
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

AT_ONCE = 50
CHUNK = 250


def prime(n):
    """The number, if it is prime: if nothing up to its half divides it."""
    for divisor in range(2, n // 2 + 1):
        if n % divisor == 0:
            return None
    return n


def only(answers):
    return [answer for answer in answers if answer is not None]


def serially(numbers):
    return only(map(prime, numbers))


def exit_if_prime(n):
    raise SystemExit(0 if prime(n) is None else 1)


def a_process_each(numbers):
    found = []
    for first in range(0, len(numbers), AT_ONCE):
        group = numbers[first:first + AT_ONCE]
        children = [Process(target=exit_if_prime, args=[n]) for n in group]
        for child in children:
            child.start()
        for n, child in zip(group, children):
            child.join()
            if child.exitcode == 1:
                found.append(n)
    return found


def by_pool(workers, chunk):
    def way(numbers):
        with Pool(workers) as pool:
            return only(pool.map(prime, numbers, chunksize=chunk))

    return way


def timed(label, numbers, way):
    start = time.perf_counter()
    found = way(numbers)
    result = f"{len(found)} primes, in sum {sum(found)}"
    print(f"figure\t{label}\t{time.perf_counter() - start:.9f}\t{result}", flush=True)
    return found


def life_of_a_process():
    answers = SimpleQueue()
    lives, works = [], []
    for n in range(990, 1000):
        start = time.perf_counter()
        child = Process(target=put_time, args=[n, answers])
        child.start()
        child.join()
        lives.append(time.perf_counter() - start)
        works.append(answers.get())
    print(f"it lives longer than it works: {sorted(lives)[5] / sorted(works)[5]:.0f} times")


def put_time(n, answers):
    start = time.perf_counter()
    prime(n)
    answers.put(time.perf_counter() - start)


def main():
    known = parser(__doc__)  # nothing waits here
    known.add_argument("--limit", type=int, default=20_000)
    limit = known.parse_args().limit
    set_start_method("fork")
    cores = len(os.sched_getaffinity(0))

    few = range(2, 1000)
    ways = [
        timed("serially", few, serially),
        timed("a process each", few, a_process_each),
        timed("pool, one by one", few, by_pool(cores, 1)),
        timed("pool, in chunks", few, by_pool(cores, CHUNK)),
    ]
    print(len(ways[0]), "primes; all ways agree:", ways == [ways[0]] * 4)
    life_of_a_process()

    numbers, few = range(2, limit), range(2, 100)
    start = time.perf_counter()
    a_process_each(few)
    seconds = (time.perf_counter() - start) / len(few) * len(numbers)
    print(f"{len(numbers)} processes would take about {seconds:.1f} s (worked out from {len(few)}; not run)")
    ways = [
        timed("all: serially", numbers, serially),
        timed("all: pool, one by one", numbers, by_pool(cores, 1)),
        timed("all: pool, in chunks", numbers, by_pool(cores, CHUNK)),
    ]
    print(len(ways[0]), "primes; all ways agree:", ways == [ways[0]] * 3)

    numbers = range(2, min(3 * limit, 200_000))  # enough work to see it
    ways = []
    for workers in (1, 2, 4, 8):
        ways.append(timed(f"workers: {workers}", numbers, by_pool(workers, CHUNK)))
    print(len(ways[0]), "primes; all ways agree:", ways == [ways[0]] * 4)


if __name__ == "__main__":
    main()
