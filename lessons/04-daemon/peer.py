"""Daemon: a child that ends with its parent. The same as src/main.rs, in Python.

In Python it is the parent that ends its daemons, when it ends well. One that
is killed cannot.
"""

import ctypes
import itertools
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

mp = multiprocessing.get_context("fork")
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
TIMES = 50


class Family:
    """A parent with a child that counts."""

    def __init__(self, pause):
        self.pause = pause
        self.child_counts, self.asked, self.answered = (mp.Event() for _ in range(3))
        self.child_pid = mp.Value("i", 0)

    def parent(self, daemon, looks):
        child = mp.Process(target=self.child, daemon=daemon)
        child.start()
        self.child_counts.wait()
        for _ in range(looks):
            self.pause(0.5)
            print("parent: child alive:", child.is_alive(), flush=True)
        if not daemon:
            os._exit(0)  # or it would wait for its child first

    def child(self):
        self.child_pid.value = os.getpid()
        self.child_counts.set()
        for n in itertools.count(1):
            print("child:", n, flush=True)
            self.pause(0.3)
            if self.asked.is_set():
                self.answered.set()

    def fate_of_child(self):
        """Ask until it answers or is gone; end it if it lives on."""
        child = self.child_pid.value
        self.asked.set()
        while not self.answered.wait(0.005):
            if is_gone(child):
                return "gone with its parent"
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        return "lives on, until somebody ends it"


def is_gone(pid):
    try:
        return os.waitpid(pid, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return True  # its parent has waited for it


def parent_ends(pause):
    family = Family(pause)
    parent = mp.Process(target=family.parent, args=(True, 3))
    parent.start()
    parent.join()
    print("a daemon whose parent ends:", family.fate_of_child(), flush=True)


def parent_is_killed(pause):
    family = Family(pause)
    parent = mp.Process(target=family.parent, args=(True, 1_000_000))
    parent.start()
    family.child_counts.wait()
    pause(1.2)
    parent.kill()
    parent.join()
    print("a daemon whose parent is killed:", family.fate_of_child(), flush=True)


def without_the_flag(pause):
    family = Family(pause)
    parent = mp.Process(target=family.parent, args=(False, 2))
    parent.start()
    parent.join()
    print("without the flag:", family.fate_of_child(), flush=True)


def no_children():
    def start_a_child():
        try:
            child = mp.Process(target=int)
            child.start()
            child.join()
            print("its child:", child.exitcode, flush=True)
        except AssertionError as error:
            print("its child:", error, flush=True)

    for daemon in (True, False):
        process = mp.Process(target=start_a_child, daemon=daemon)
        process.start()
        process.join()


def measure(label, times, target, is_over=lambda n: True):
    ended_well = []
    start = time.perf_counter()
    for n in range(times):
        process = mp.Process(target=target, args=(n,))
        process.start()
        process.join()
        ended_well.append(process.exitcode == 0)
    seconds = (time.perf_counter() - start) / times
    over = sum(well and is_over(n) for n, well in enumerate(ended_well))
    print(f"figure\t{label}\t{seconds:.9f}\t{over}")


def price():
    pids = mp.Array("i", TIMES)

    def start_a_daemon(n):
        daemon = mp.Process(target=time.sleep, args=(60,), daemon=True)
        daemon.start()
        pids[n] = daemon.pid

    measure("a child", TIMES, int)
    measure("a parent and its daemon", TIMES, start_a_daemon, lambda n: is_gone(pids[n]))


def main():
    speed = parser(__doc__).parse_args().speed

    def pause(seconds):
        time.sleep(seconds / speed)

    # Orphans below this process are to be its own: Python has no call for it.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    parent_ends(pause)
    parent_is_killed(pause)
    without_the_flag(pause)
    no_children()
    price()


if __name__ == "__main__":
    main()
