"""Load ramp: fifty requests at once, then thirty more. The same as src/main.rs, in Python."""

import argparse
import collections
import http.client
import json
import math
import os
import pathlib
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from local_site import Site
from peer_options import parser

# No proxy: the site is on this machine.
CLIENT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
MOST = 100_000  # bytes of an answer


class Server(Site):
    """It can be made to stand still, and be killed."""

    def stand_still(self):
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def wait_for(self, requests):
        """Waits until so many have come."""
        while True:
            with CLIENT.open(self.url + "/stats", timeout=20) as stats:
                if json.load(stats)["requests"] >= requests:
                    return
            time.sleep(0.005)

    def stop(self):
        self.process.kill()
        self.process.wait()


def rule(text):
    """0:50,1:30 as [(0, 50), (1, 30)]: at which second how many."""
    try:
        waves = [tuple(map(int, wave.split(":"))) for wave in text.split(",")]
    except ValueError:
        waves = [()]
    well = all(len(wave) == 2 and 0 <= wave[0] <= 30 and wave[1] > 0 for wave in waves)
    if well and sum(number for _, number in waves) <= 1000:
        return waves
    raise argparse.ArgumentTypeError(
        "give SECOND:REQUESTS, as in 0:50,1:30; at most 1000 in all, none after second 30")


def address(text):
    if text.startswith("http://"):
        return text
    raise argparse.ArgumentTypeError("give http://HOST:PORT/PATH, as `just site` prints it")


def ask(url, timeout=20):
    """None, or why there was no answer."""
    try:
        with CLIENT.open(url, timeout=timeout) as answer:
            answer.read(MOST)
            if answer.read(1):
                return f"more than {MOST} bytes"
            if answer.length:  # so many more were promised
                return "IncompleteRead"
    except urllib.error.HTTPError as error:
        with error:
            if error.code // 100 == 3:  # urllib tells a story of a loop
                return "too many redirects"
            return f"{error.code} {error.reason}"
    except urllib.error.URLError as error:
        return type(error.reason).__name__
    except Exception as error:  # urllib lets many kinds through
        return type(error).__name__
    return None


def ask_again(connection, path):
    """The same over a connection that is kept, which urllib's never are."""
    try:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            answer.read(MOST)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    return None if answer.status == 200 else f"{answer.status} {answer.reason}"


def sleep_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


def send(requests, lead, meanwhile=lambda zero: None):
    """Each of (seconds, arguments of ask) when it is due; latency and failure of each."""
    zero, answers = [], []

    def all_ready():
        zero.append(time.monotonic() + lead)

    ready = threading.Barrier(len(requests) + 1, action=all_ready)

    def run(seconds, arguments):
        ready.wait()
        due = zero[0] + seconds
        sleep_until(due)
        failure = ask(*arguments)
        answers.append((time.monotonic() - due, failure))

    threads = [threading.Thread(target=run, args=request) for request in requests]
    for thread in threads:
        thread.start()
    ready.wait()
    meanwhile(zero[0])
    for thread in threads:
        thread.join()
    return answers


def latencies(answers):
    return sorted(latency for latency, failure in answers if failure is None)


def within(share, latencies):
    """The time in which that share of the answers was there."""
    return latencies[math.ceil(share * len(latencies)) - 1]


def outcomes(answers):
    counted = collections.Counter(failure or "answered" for _, failure in answers)
    for outcome, number in sorted(counted.items()):
        print(f"{outcome}: {number}")


def ramp(url, speed, waves):
    requests = [(second / speed, (url,)) for second, wave in waves for _ in range(wave)]
    answers = send(requests, 0.5 / speed)
    outcomes(answers)
    if times := latencies(answers):
        for share in (0.5, 0.9):
            print(f"{share:.0%}: {1000 * within(share, times):.0f} ms")


def closed_or_open(site, speed):
    still = max(1 / speed, 0.25)
    url, closed = site.url + "/pages/1", []

    def closed_loop(zero):
        host = site.url.removeprefix("http://")
        user = http.client.HTTPConnection(host, timeout=20)
        sleep_until(zero)
        sent = zero
        for _ in range(20):
            failure = ask_again(user, "/pages/1")
            closed.append((time.monotonic() - sent, failure))
            time.sleep(0.1 / speed)
            sent = time.monotonic()
        user.close()

    def meanwhile(zero):
        user = threading.Thread(target=closed_loop, args=[zero])
        user.start()
        sleep_until(zero + still)
        site.go_on()
        user.join()

    site.stand_still()
    opened = send([(still * n / 10, (url,)) for n in range(20)], 0.5 / speed, meanwhile)
    for name, answers in (("closed", closed), ("open", opened)):
        times = latencies(answers)
        print(f"figure\t{name} loop: 90 %\t{within(0.9, times):.9f}\t{len(times)}")


def by_reason(site, speed):
    slow = ("silent", "length", "drip")
    faults = ("404", "429", "500", "closed", "cut", "garbled", "html", "bare", "redirect",
              "huge", *slow)
    requests = [(0, (f"{site.url}/pages/1?fault={fault}", min(1 / speed, 1) if fault in slow else 20))
                for fault in faults for _ in range(2)]
    outcomes(send(requests, 0.5 / speed))


def stops_halfway(site, speed):
    quick, slow = [(0, (site.url + "/pages/1" + how,)) for how in ("", "?ms=10000")]
    answers = send([quick] * 10, 0.5 / speed)

    def ends(_):
        site.wait_for(requests=20)
        site.stop()

    answers += send([slow] * 10, 0.5 / speed, ends)
    answers += send([quick] * 10, 0.5 / speed)
    outcomes(answers)


def main():
    known = parser(__doc__)
    known.add_argument("--rule", type=rule, default="0:50,1:30", help="SECOND:REQUESTS,...")
    known.add_argument("--url", type=address, help="ask this server, not the local site")
    options = known.parse_args()
    if options.url:
        ramp(options.url, options.speed, options.rule)
        return
    print("starts the local site; cargo builds it first if it must", flush=True)
    with Server(latency=0.8) as site:
        ramp(site.url + "/pages/1", options.speed, options.rule)
    with Server() as site:
        closed_or_open(site, options.speed)
        by_reason(site, options.speed)
    with Server() as site:
        stops_halfway(site, options.speed)


if __name__ == "__main__":
    main()
