"""Spawn: coroutines that sleep. The same as src/main.rs, in Python.

Needs gevent from PyPI: `just python` installs it below target/. What tokio
does there is done by asyncio here.
"""

import asyncio
import sys
import threading
import time
from pathlib import Path

import gevent

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

SLEEPERS = 10_000


def in_turn(seconds):
    def night(me, *naps):
        for nap in naps:
            gevent.sleep(seconds(nap))
            print(f"{me} has slept {nap} s")

    gevent.joinall(
        [
            gevent.spawn(night, "anna", 0.5, 6.5),
            gevent.spawn(night, "ben", 1.5, 4.5),
            gevent.spawn(night, "carl", 2.5, 2.5),
            gevent.spawn(night, "dora", 3.5, 0.5),
        ]
    )


def two_jobs(seconds):
    start = time.perf_counter()
    jobs = [gevent.spawn(gevent.sleep, seconds(nap)) for nap in (2.5, 1.5)]
    gevent.joinall(jobs)
    took = time.perf_counter() - start
    print(f"both, in lengths of the longer: {took / seconds(2.5):.2f}")


def nobody_joins(seconds):
    done = []

    def work():
        gevent.sleep(seconds(60))
        done.append("job")

    job = gevent.spawn(work)
    gevent.sleep(0)  # until then it has not even begun
    print("begun:", job.started, "done:", done)
    job.kill()


class Dormitory:
    """Counts those who have woken, and the threads that carried them."""

    def __init__(self):
        self.woken = 0
        self.threads = set()

    def falls_asleep(self):
        self.threads.add(threading.get_native_id())

    def wakes(self):
        self.threads.add(threading.get_native_id())
        self.woken += 1

    def report(self):
        print("have woken:", self.woken, "threads:", len(self.threads))


def with_stacks(seconds):
    beds = Dormitory()

    def night():
        beds.falls_asleep()
        gevent.sleep(seconds(1))
        beds.wakes()

    start = time.perf_counter()
    gevent.joinall([gevent.spawn(night) for _ in range(SLEEPERS)])
    figure("with a stack", time.perf_counter() - start, beds.woken)
    beds.report()


async def without_stacks(seconds):
    beds = Dormitory()

    async def night():
        beds.falls_asleep()
        await asyncio.sleep(seconds(1))
        beds.wakes()

    start = time.perf_counter()
    await asyncio.gather(*(night() for _ in range(SLEEPERS)))
    figure("without a stack", time.perf_counter() - start, beds.woken)
    beds.report()


def who_is_held_up(seconds):
    for name, sleep in ("time", time.sleep), ("gevent", gevent.sleep):
        start = time.perf_counter()
        gevent.joinall([gevent.spawn(sleep, seconds(1)) for _ in range(3)])
        took = (time.perf_counter() - start) / seconds(1)
        print(f"three by {name}.sleep take as long as {took:.2f}")


def figure(label, taken, woken):
    print(f"figure\t{label}\t{taken:.9f}\t{woken}")


def main():
    speed = parser(__doc__).parse_args().speed

    def seconds(natural):
        return natural / speed

    in_turn(seconds)
    two_jobs(seconds)
    nobody_joins(seconds)
    with_stacks(seconds)
    asyncio.run(without_stacks(seconds))
    who_is_held_up(seconds)


if __name__ == "__main__":
    main()
