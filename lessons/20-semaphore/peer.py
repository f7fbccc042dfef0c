"""Semaphore: five seats, twenty guests. The same as src/main.rs, in Python."""

import multiprocessing
import random
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

SEATS = 5
GUESTS = 20

# Children as copies, which need not be told what they work on.
fork = multiprocessing.get_context("fork")


class Inside:
    """Counts who is inside: now, at most and in all."""

    def __init__(self, counts, lock):
        self.counts, self.lock = counts, lock

    def __enter__(self):
        with self.lock:
            now, peak, seen = self.counts
            self.counts[:] = [now + 1, max(peak, now + 1), seen + 1]

    def __exit__(self, *_):
        with self.lock:
            self.counts[0] -= 1


def run_guests(visit, processes=False):
    counts = fork.Array("i", 3) if processes else [0, 0, 0]
    lock = counts.get_lock() if processes else threading.Lock()
    kind = fork.Process if processes else threading.Thread
    inside = Inside(counts, lock)
    guests = [kind(target=visit, args=(inside,)) for _ in range(GUESTS)]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    return f"at once: {counts[1]}, in all: {counts[2]}"


def nobody_counts(pause):
    all_inside = threading.Barrier(GUESTS)

    def visit(inside):
        with inside:
            all_inside.wait()
            pause(0.5)

    print("without a semaphore,", run_guests(visit))


def five_inside(pause):
    seats = threading.Semaphore(SEATS)

    def visit(inside):
        with seats, inside:
            pause(random.uniform(1.0, 3.0))

    print("with five permits,", run_guests(visit))


def free_permits(seats):
    """How many can be taken; they are not given back."""
    permits = 0
    while seats.acquire(False):
        permits += 1
    return permits


def one_release_too_many():
    seats = threading.Semaphore(SEATS)
    seats.release()
    print("the plain one now admits", free_permits(seats))
    try:
        threading.BoundedSemaphore(SEATS).release()
    except ValueError as error:
        print("the bounded one:", error)


def five_processes(pause):
    seats = fork.BoundedSemaphore(SEATS)

    def visit(inside):
        with seats, inside:
            pause(random.uniform(0.5, 1.5))

    print("with processes,", run_guests(visit, processes=True))


def price(label, seats):
    times, taken = 100_000, 0
    start = time.perf_counter()
    for _ in range(times):
        taken += seats.acquire()
        seats.release()
    seconds = (time.perf_counter() - start) / times
    result = [taken, free_permits(seats)]
    print(f"figure\t{label}\t{seconds:.12f}\t{result}")


def main():
    speed = parser(__doc__).parse_args().speed

    def pause(seconds):
        time.sleep(seconds / speed)

    nobody_counts(pause)
    five_inside(pause)
    one_release_too_many()
    five_processes(pause)
    price("between threads", threading.Semaphore(SEATS))
    price("between processes", fork.Semaphore(SEATS))


if __name__ == "__main__":
    main()
