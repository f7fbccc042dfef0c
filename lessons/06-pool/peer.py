"""Pool: ten jobs, four workers. The same as src/main.rs, in Python."""

import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import Pool, active_children, set_start_method
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

WORKERS = 4


def work(seconds):
    time.sleep(seconds)
    return os.getpid()


def share(guests):
    return 12 // guests


def same(job):
    return job


def ten_jobs(speed):
    seconds = [job / 10 / speed for job in range(1, 11)]
    with Pool(WORKERS) as pool:
        pids = pool.map(work, seconds, chunksize=1)
    print("jobs done:", len(pids), "by processes:", len(set(pids)))


def when_to_wait(speed):
    with Pool(WORKERS) as pool:
        start = time.perf_counter()
        for _ in range(4):
            pool.apply_async(work, [1 / speed]).get()
        one_by_one = time.perf_counter() - start
        start = time.perf_counter()
        jobs = [pool.apply_async(work, [1 / speed]) for _ in range(4)]
        for job in jobs:
            job.get()
        all_first = time.perf_counter() - start
    print(f"one by one: {one_by_one:.2f} s, all first: {all_first:.2f} s")


def callback(speed):
    called = []
    with Pool(2) as pool:
        for _ in range(4):
            pool.apply_async(work, [1 / speed], callback=lambda _: called.append(os.getpid()))
        pool.close()
        pool.join()
    print("callbacks:", len(called), "in this process:", set(called) == {os.getpid()})


def in_order_of_completion(speed):
    with ProcessPoolExecutor(2) as pool:
        jobs = {pool.submit(work, seconds / speed): number
                for number, seconds in enumerate([2, 1, 2], start=1)}
        print("results of jobs:", [jobs[job] for job in as_completed(jobs)])


def never_run(speed):
    with ProcessPoolExecutor(1) as pool:
        # The executor hands out one job more than it has workers.
        jobs = [pool.submit(work, 1 / speed) for _ in range(3)]
        while not jobs[0].running():
            time.sleep(0.001)
        print("cancelled:", [job.cancel() for job in (jobs[0], jobs[2])])
    with Pool(1) as pool:
        try:
            pool.join()
        except ValueError as error:
            print("join before close:", error)
        pool.close()
        try:
            pool.apply_async(work, [1])
        except ValueError as error:
            print("submit after close:", error)
        pool.join()


def job_fails():
    with Pool(1) as pool:
        for guests in (4, 0, 3):
            try:
                print(guests, "guests:", pool.apply_async(share, [guests]).get(), "each")
            except ZeroDivisionError as error:
                print(guests, "guests:", error)


def worker_killed():
    # multiprocessing.Pool would wait for the lost job for ever.
    with ProcessPoolExecutor(1) as pool:
        pid = pool.submit(os.getpid).result()
        job = pool.submit(signal.pause)
        os.kill(pid, signal.SIGKILL)
        try:
            job.result()
        except BrokenProcessPool as error:
            print("killed:", error)


def measure(label, times, body):
    start = time.perf_counter()
    results = body()
    seconds = (time.perf_counter() - start) / times
    print(f"figure\t{label}\t{seconds:.12f}\t{sum(results)}")


def price():
    def pools():
        workers = []
        for _ in range(10):
            with Pool(WORKERS):
                workers.append(len(active_children()))
        return workers

    measure("make and end a pool", 10, pools)
    with Pool(WORKERS) as pool:
        def singles():
            return [pool.apply_async(same, [job]).get() for job in range(1000)]

        measure("submit and get", 1000, singles)
        measure("a job of a map", 100_000, lambda: pool.map(same, range(100_000)))


def main():
    speed = parser(__doc__).parse_args().speed
    set_start_method("fork")

    ten_jobs(speed)
    when_to_wait(speed)
    callback(speed)
    in_order_of_completion(speed)
    never_run(speed)
    job_fails()
    worker_killed()
    price()


if __name__ == "__main__":
    main()
