"""Semaphore: five seats, twenty guests. The same as src/main.rs, in Python."""

import argparse
import random
import threading
import time

SEATS = 5
GUESTS = 20


class Inside:
    """Counts who is inside, and how many were at most."""

    def __init__(self):
        self.lock = threading.Lock()
        self.now = self.peak = self.all = 0

    def __enter__(self):
        with self.lock:
            self.now += 1
            self.all += 1
            self.peak = max(self.peak, self.now)

    def __exit__(self, *_):
        with self.lock:
            self.now -= 1


def run_guests(visit):
    inside = Inside()
    guests = [threading.Thread(target=visit, args=(inside,)) for _ in range(GUESTS)]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    return inside


def nobody_counts(pause):
    all_inside = threading.Barrier(GUESTS)

    def visit(inside):
        with inside:
            all_inside.wait()
            pause(0.5)

    print("without a semaphore, at once:", run_guests(visit).peak)


def five_inside(pause):
    seats = threading.Semaphore(SEATS)

    def visit(inside):
        with seats, inside:
            pause(random.uniform(1.0, 3.0))

    inside = run_guests(visit)
    print(f"with five permits, at once: {inside.peak}, in all: {inside.all}")


def one_release_too_many():
    seats = threading.Semaphore(SEATS)
    seats.release()
    permits = 0
    while seats.acquire(blocking=False):
        permits += 1
    print("the plain one now admits", permits)
    try:
        threading.BoundedSemaphore(SEATS).release()
    except ValueError as error:
        print("the bounded one:", error)


def price():
    seats, times = threading.Semaphore(SEATS), 100_000
    start = time.perf_counter()
    for _ in range(times):
        seats.acquire()
        seats.release()
    seconds = (time.perf_counter() - start) / times
    print(f"figure\tacquire and release\t{seconds:.12f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=1.0)
    speed = parser.parse_args().speed

    def pause(seconds):
        time.sleep(seconds / speed)

    nobody_counts(pause)
    five_inside(pause)
    one_release_too_many()
    price()


if __name__ == "__main__":
    main()
