"""Multitasking: taking turns and running at once. The same as src/main.rs, in
Python."""

import itertools
import os
import resource
import socket
import statistics
import sys
import time
from multiprocessing import get_context
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

SHORT, LONG = 0.05, 0.1  # seconds that a task computes, or waits
NAPS = 10
ROUNDS = 2_000
fork = get_context("fork")


def usage():
    """How long this process ran so far, and how often it gave its core up and
    had it taken away."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_nvcsw, used.ru_nivcsw


def shortest_gap():
    """No switch away and back is quicker than asking the system twice."""
    costs = []
    for _ in range(101):
        begin = time.monotonic()
        usage()
        costs.append(time.monotonic() - begin)
    return 2 * statistics.median(costs)


def compute(seconds):
    """Read the clock until this process has run so long; tell when it ran."""
    gap, slices, ran = shortest_gap(), [], 0.0
    switches = usage()[1:]
    begin = last = time.monotonic()
    while ran < seconds:
        now = time.monotonic()
        if now - last > gap and usage()[1:] != switches:
            slices.append((begin, last))
            switches = usage()[1:]
            begin = last = time.monotonic()
        else:
            ran += now - last
            last = now
    return slices + [(begin, last)]


def wait(seconds):
    """Wait, as for an answer."""
    begin = time.monotonic()
    time.sleep(seconds)
    return [(begin, time.monotonic())]


def nap(seconds):
    for _ in range(NAPS):
        time.sleep(seconds / 20)
    return []


def compute_and_wait(seconds):
    return compute(seconds / 4) + wait(seconds) + compute(seconds / 4)


def run(seconds, tasks):
    """Run each task in a process of its own on its cores; return for each when
    it ran or waited and how it was switched."""
    start, answers = fork.Barrier(len(tasks)), fork.Queue()

    def body(number, cores, work):
        os.sched_setaffinity(0, cores)
        start.wait()
        before = usage()
        slices = work(seconds)
        after = usage()
        answers.put((number, slices, [b - a for a, b in zip(before, after)]))

    children = []
    for number, task in enumerate(tasks):
        children.append(fork.Process(target=body, args=(number, *task)))
        children[-1].start()
    found = sorted(answers.get() for _ in children)
    for child in children:
        child.join()
    return [slices for _, slices, _ in found], [used for _, _, used in found]


def together(tasks):
    """The time in which somebody ran or waited, divided by the sum."""
    slices = sorted(slice for task in tasks for slice in task)
    covered = until = 0.0
    for begin, end in slices:
        covered += max(0.0, end - max(begin, until))
        until = max(until, end)
    return covered / sum(end - begin for begin, end in slices)


def typical(slices):
    """Half of the computing was done in slices of this length or longer ones."""
    lengths = sorted(end - begin for begin, end in slices)
    done = itertools.accumulate(lengths)
    half = sum(lengths) / 2
    length = next(length for length, so_far in zip(lengths, done) if so_far >= half)
    return f"{length * 1000:.1f} ms"


def took(tasks):
    """The time from the first beginning to the last end."""
    slices = [slice for task in tasks for slice in task]
    return max(end for _, end in slices) - min(begin for begin, _ in slices)


def price(core):
    """Hand a byte to and fro between two processes on one core."""
    anna, ben = socket.socketpair()
    answered = fork.SimpleQueue()

    def answer():
        os.sched_setaffinity(0, {core})
        received = 0
        for _ in range(ROUNDS):
            received += ben.recv(1)[0]
            ben.send(b"\1")
        answered.put(received)

    def ask():
        os.sched_setaffinity(0, {core})
        received = 0
        begin = time.perf_counter()
        for _ in range(ROUNDS):
            anna.send(b"\1")
            received += anna.recv(1)[0]
        seconds = (time.perf_counter() - begin) / (2 * ROUNDS)
        # Each byte that came, a one, was a switch.
        switches = received + answered.get()
        print(f"figure\tswitch\t{seconds:.9f}\t{switches}", flush=True)

    children = [fork.Process(target=answer), fork.Process(target=ask)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    anna.close()
    ben.close()


def main():
    parser(__doc__).parse_args()  # computing is no pause: --speed changes nothing
    cores = sorted(os.sched_getaffinity(0))[:4]
    core = {cores[0]}
    os.sched_setaffinity(0, cores)  # raises, before the first child, where it may not

    both, used = run(SHORT, [(core, compute), (core, compute)])
    ran = sum(seconds for seconds, _, _ in used)
    print(f"one core: {took(both) / ran:.2f} of the sum")
    print("typical time slices:", *map(typical, both))
    if len(cores) > 1:
        both, _ = run(LONG, [({cores[0]}, compute), ({cores[1]}, compute)])
        print(f"two cores: {together(both):.2f} of the sum")
    both, _ = run(LONG, [(core, compute), (core, wait)])
    print(f"one computes, one waits: {together(both):.2f} of the sum")
    six, _ = run(LONG, [(cores, compute)] * 5 + [(cores, compute_and_wait)])
    print(f"six tasks, cores: {len(cores)}: {together(six):.2f} of the sum")
    _, counts = run(LONG, [(core, compute), (core, compute), (core, nap)])
    for name, (_, given_up, taken) in zip(("anna", "ben", "carl"), counts):
        print(f"{name}: gave the core up {given_up}, had it taken away {taken}")
    price(cores[0])


if __name__ == "__main__":
    main()
