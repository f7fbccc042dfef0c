"""Thread pool: ten workers, ten jobs. The same as src/main.rs, in Python."""

import logging
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from concurrent.futures import TimeoutError as TimedOut
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from peer_options import parser

WORKERS = 10
JOBS = 25


class Busy:
    """Counts those who are at work at once."""

    def __init__(self):
        self.lock = threading.Lock()
        self.now = self.most = self.begun = 0

    def __enter__(self):
        with self.lock:
            self.begun += 1
            self.now += 1
            self.most = max(self.most, self.now)
            return self.begun

    def __exit__(self, *_):
        with self.lock:
            self.now -= 1


def ten_jobs(pause):
    busy, all_here = Busy(), threading.Barrier(WORKERS)

    def work(job):
        with busy:
            all_here.wait()  # so that none of them is left out
            pause(job / 10)
        return job * job

    with ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(work, job) for job in range(1, 11)]
        print("results:", [future.result() for future in futures])
    print("jobs done:", busy.begun, "at once:", busy.most)


def in_order_of_completion(pause):
    third_begun = threading.Barrier(2)

    def work(job):
        if job != 2:
            third_begun.wait()  # so the second has ended
        pause(1.5 if job == 1 else 1.0)
        return job

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(work, job) for job in (1, 2, 3)]
        order = [future.result() for future in as_completed(futures)]
    print("results of jobs:", order)


def callback(pause):
    go = threading.Barrier(2)

    def job():
        go.wait()
        pause(1.0)

    def mistaken(_future):
        print("a callback panics in", threading.current_thread().name)
        raise RuntimeError("a mistake in a callback")

    def tell(_future):
        print("a callback in", threading.current_thread().name)

    # The module logs what a callback raises; it shall not here.
    logging.getLogger("concurrent.futures").disabled = True
    with ThreadPoolExecutor(1, thread_name_prefix="worker") as pool:
        future = pool.submit(job)
        future.add_done_callback(mistaken)
        future.add_done_callback(tell)
        go.wait()
        # Not future.result(): that returns before the callbacks are called.
        pool.submit(pause, 1.0).result()
        future.add_done_callback(tell)


def never_run(pause):
    begun, go = threading.Event(), threading.Event()
    ran = []

    def first():
        begun.set()
        go.wait()
        work(1)

    def work(job):
        pause(1.0)
        ran.append(job)

    pool = ThreadPoolExecutor(1)
    futures = [pool.submit(first), pool.submit(work, 2), pool.submit(work, 3)]
    begun.wait()
    print("cancelled:", [future.cancel() for future in futures[:2]])
    pool.shutdown(wait=False, cancel_futures=True)
    done = futures[0].done()
    print("shutdown(wait=False) returns, the first is done:", done)
    print("the third is cancelled:", futures[2].cancelled())
    try:
        pool.submit(work, 4)
    except RuntimeError as error:
        print("submit after shutdown:", error)
    go.set()
    pool.shutdown()
    print("shutdown() returns, the first is done:", futures[0].done())
    print("jobs that were run:", ran)


def job_fails(pause):
    def share(guests):
        pause(0.5)
        return 12 // guests

    with ThreadPoolExecutor(1) as pool:
        for guests in (4, 0, 3):
            try:
                pieces = pool.submit(share, guests).result()
                print(guests, "guests:", pieces, "each")
            except ZeroDivisionError as error:
                print(guests, "guests:", error)


def job_waits_for_job(pause, speed):
    for workers, patience in (1, 1.5), (2, 100.0):
        with ThreadPoolExecutor(workers) as pool:
            def outer():
                pause(0.5)
                inner = pool.submit(pause, 0.5)
                try:
                    inner.result(timeout=patience / speed)
                    return True
                except TimedOut:
                    return False

            in_time = pool.submit(outer).result()
            print("workers:", workers, "done in time:", in_time)


def twenty_five_jobs(pause):
    busy, all_here = Busy(), threading.Barrier(WORKERS)

    def work(job):
        with busy as begun:
            if begun <= WORKERS:
                all_here.wait()
            pause(random.uniform(0.3, 0.9))
        return job * job

    with ThreadPoolExecutor(WORKERS) as pool:
        squares = list(pool.map(work, range(1, JOBS + 1)))
    print("jobs done:", busy.begun, "at once:", busy.most)
    print("the last result:", squares[-1])


def measure(label, times, body):
    start = time.perf_counter()
    result = body()
    seconds = (time.perf_counter() - start) / times
    print(f"figure\t{label}\t{seconds:.12f}\t{result}")


def price():
    def same(number):
        return number

    def threads():
        came = []
        for n in range(200):
            thread = threading.Thread(target=lambda: came.append(n))
            thread.start()
            thread.join()
        return sum(came)

    measure("a thread for the job", 200, threads)
    with ThreadPoolExecutor(WORKERS) as pool:
        def one_by_one():
            return sum(pool.submit(same, n).result() for n in range(2_000))

        def all_first():
            futures = [pool.submit(same, n) for n in range(20_000)]
            return sum(future.result() for future in futures)

        def mapped():
            return sum(pool.map(same, range(20_000)))

        measure("submit, then result", 2_000, one_by_one)
        measure("submit all, then result", 20_000, all_first)
        measure("a job of a parallel map", 20_000, mapped)


def main():
    speed = parser(__doc__).parse_args().speed

    def pause(seconds):
        time.sleep(seconds / speed)

    ten_jobs(pause)
    in_order_of_completion(pause)
    callback(pause)
    never_run(pause)
    job_fails(pause)
    job_waits_for_job(pause, speed)
    twenty_five_jobs(pause)
    price()


if __name__ == "__main__":
    main()
