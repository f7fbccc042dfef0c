"""What Python's multiprocessing takes for the same: `peer.py NAME` prints a number."""

import multiprocessing as mp
import sys
import time


def nothing(*_):
    pass


def start(times=100):
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        process = mp.Process(target=nothing)
        process.start()
        process.join()
        taken.append(time.perf_counter() - began)
    return sorted(taken)[times // 2]


def hundred():
    began = time.perf_counter()
    processes = [mp.Process(target=nothing) for _ in range(100)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return time.perf_counter() - began


def put_many(queue, item, count):
    for _ in range(count):
        queue.put(item)


def get_many(queue, count):
    for _ in range(count):
        queue.get()


def one_to_one(item, count):
    queue = mp.Queue()
    putter = mp.Process(target=put_many, args=(queue, item, count))
    putter.start()
    queue.get()
    began = time.perf_counter()
    get_many(queue, count - 1)
    took = time.perf_counter() - began
    putter.join()
    return took / (count - 1)


def four_to_four(count=20_000):
    queue = mp.Queue()
    putters = [mp.Process(target=put_many, args=(queue, 7, count)) for _ in range(4)]
    getters = [mp.Process(target=get_many, args=(queue, count)) for _ in range(4)]
    began = time.perf_counter()
    for process in putters + getters:
        process.start()
    for process in putters + getters:
        process.join()
    return (time.perf_counter() - began) / (4 * count)


def add(lock, count):
    for _ in range(count):
        with lock:
            pass


def eight_lockers(count=50_000):
    lock = mp.Lock()
    processes = [mp.Process(target=add, args=(lock, count)) for _ in range(8)]
    began = time.perf_counter()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return (time.perf_counter() - began) / (8 * count)


def pool_map(count=200_000):
    with mp.Pool(2) as pool:
        pool.map(nothing, range(100))
        began = time.perf_counter()
        pool.map(nothing, range(count))
        return (time.perf_counter() - began) / count


def pool_single(count=5_000):
    with mp.Pool(2) as pool:
        pool.map(nothing, range(100))
        began = time.perf_counter()
        jobs = [pool.apply_async(nothing, (n,)) for n in range(count)]
        for job in jobs:
            job.get()
        return (time.perf_counter() - began) / count


def manager(count=5_000):
    with mp.Manager() as manager:
        kept = manager.dict()
        kept["key"] = 0
        began = time.perf_counter()
        for n in range(count):
            kept["key"] = n
        return (time.perf_counter() - began) / count


MEASURES = {
    "start": start,
    "hundred": hundred,
    "queue_ints": lambda: one_to_one(7, 30_000),
    "queue_4_to_4": four_to_four,
    "queue_1_kib": lambda: one_to_one("x" * 1024, 20_000),
    "queue_64_kib": lambda: one_to_one("x" * 65536, 3_000),
    "lock_8": eight_lockers,
    "pool_map": pool_map,
    "pool_single": pool_single,
    "manager": manager,
}

if __name__ == "__main__":
    mp.set_start_method("fork")
    print(MEASURES[sys.argv[1]]())
