"""Lock: the last tickets. The same as src/main.rs, in Python."""

import json
import multiprocessing
import os
import random
import signal
import stat
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

BUYERS = 10
# Children as copies, which need not be told what they work on.
fork = multiprocessing.get_context("fork")


class Shop:
    """data.json, which says how many tickets are left."""

    def __init__(self, folder):
        self.folder = folder
        self.file = os.path.join(folder, "data.json")
        with open(self.file, "w") as file:
            json.dump({"tickets": 3}, file)

    def look(self):
        with open(self.file) as file:
            return json.load(file)["tickets"]

    def put(self, tickets, reached=lambda phase: None):
        # Written aside and renamed, so that nobody ever sees half a file.
        text = json.dumps({"tickets": tickets})
        name = f"{self.file}.unfinished-{os.getpid()}"
        old = os.stat(self.file)
        with open(name, "x") as aside:
            os.fchown(aside.fileno(), old.st_uid, old.st_gid)
            os.fchmod(aside.fileno(), stat.S_IMODE(old.st_mode))
            reached("opened")
            aside.write(text[: len(text) // 2])
            aside.flush()
            reached("half-written")
            aside.write(text[len(text) // 2 :])
            aside.flush()
            reached("written")
            os.fsync(aside.fileno())
        reached("synced")
        os.replace(name, self.file)
        reached("renamed")
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def ten(visit):
    """Ten processes; how long they took, how many bought a ticket, and how many
    were refused."""
    bought, refused = fork.Value("i", 0), fork.Value("i", 0)

    def buyer():
        end = bought if visit() else refused
        with end:
            end.value += 1

    start = time.perf_counter()
    buyers = [fork.Process(target=buyer) for _ in range(BUYERS)]
    for process in buyers:
        process.start()
    for process in buyers:
        process.join()
    return time.perf_counter() - start, bought.value, refused.value


def nobody_locks(shop, pause):
    all_looked = fork.Barrier(BUYERS)

    def visit():
        left = shop.look()
        all_looked.wait()
        pause(random.uniform(0.5, 1.5))
        return buy(shop, left, pause)

    _, sold, _ = ten(visit)
    print(f"nobody locks: {sold} sold, {shop.look()} left")


def buy(shop, left, pause):
    if left == 0:
        return False
    pause(0.1)
    shop.put(left - 1)
    return True


def one_at_a_time(shop, pause):
    lock, all_looked = fork.Lock(), fork.Barrier(BUYERS)

    def visit():
        shop.look()
        all_looked.wait()
        pause(random.uniform(0.5, 1.5))
        with lock:
            return buy(shop, shop.look(), pause)

    _, sold, _ = ten(visit)
    print(f"one at a time: {sold} sold, {shop.look()} left")


def thinking_with_the_lock(shop, pause):
    lock, all_here = fork.Lock(), fork.Barrier(BUYERS)

    def slow():
        with lock:
            left = shop.look()
            pause(random.uniform(0.5, 0.8))
            return buy(shop, left, pause)

    def quick():
        all_here.wait()
        pause(random.uniform(0.5, 0.8))
        with lock:
            return buy(shop, shop.look(), pause)

    seconds, *ends = ten(slow)
    print(f"figure\tthinking with the lock\t{seconds:.9f}\t{ends}")
    shop.put(3)
    seconds, *ends = ten(quick)
    print(f"figure\tthinking before it\t{seconds:.9f}\t{ends}")


def looking_needs_no_lock(shop):
    def visitor(phase):
        print(f"{phase}: {shop.look()} left", flush=True)

    def visit(phase):
        looking = fork.Process(target=visitor, args=(phase,))
        looking.start()
        looking.join()

    with fork.Lock():
        shop.put(shop.look() - 1, visit)


def killed_with_the_lock(shop):
    lock = fork.Lock()

    def die(phase):
        if phase == "half-written":
            os.kill(os.getpid(), signal.SIGKILL)

    def victim():
        with lock:
            shop.put(shop.look() - 1, die)

    killed = fork.Process(target=victim)
    killed.start()
    killed.join()
    # Python's lock does not know who has it: it stays locked for ever.
    got_in = lock.acquire(timeout=0.2)
    files = len(os.listdir(shop.folder)) - 1
    print(f"the next gets in: {got_in}; {shop.look()} left, {files} unfinished")


def measure(label, times, body):
    start = time.perf_counter()
    result = body(times)
    seconds = (time.perf_counter() - start) / times
    print(f"figure\t{label}\t{seconds:.12f}\t{result}")


def price(shop):
    lock = fork.Lock()

    def lock_and_release(times):
        taken = 0
        for _ in range(times):
            with lock:
                taken += 1
        return taken

    def write(times):
        for tickets in range(1, times + 1):
            shop.put(tickets)
        return shop.look()

    measure("lock and release", 100_000, lock_and_release)
    measure("write aside and sync", 10, write)


def main():
    speed = parser(__doc__).parse_args().speed

    def pause(seconds):
        time.sleep(seconds / speed)

    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(folder)
        nobody_locks(shop, pause)
        shop.put(3)
        one_at_a_time(shop, pause)
        shop.put(3)
        thinking_with_the_lock(shop, pause)
        shop.put(3)
        looking_needs_no_lock(shop)
        shop.put(3)
        killed_with_the_lock(shop)
        price(shop)


if __name__ == "__main__":
    main()
