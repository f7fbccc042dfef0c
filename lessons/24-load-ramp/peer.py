"""Load ramp: fifty requests at once, then thirty more. The same as src/main.rs, in Python."""

import argparse
import collections
import json
import os
import pathlib
import signal
import statistics
import subprocess
import threading
import time
import urllib.error
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[2]
SITE = ["cargo", "run", "--quiet", "--package", "shared", "--features", "site",
        "--bin", "site", "--", "--listen", "127.0.0.1:0", "--until-eof"]
# No proxy: the site is on this machine.
CLIENT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
MOST = 100_000  # bytes of an answer


class Site:
    """The local site; it ends with its standard input."""

    def __init__(self, latency=0.0):
        self.process = subprocess.Popen(
            [*SITE, "--latency", str(latency)], cwd=TOP, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().strip()

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

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def rule(text):
    """0:50,1:30 as [(0, 50), (1, 30)]: at which second how many."""
    return [tuple(map(int, wave.split(":", 1))) for wave in text.split(",")]


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


def within(answers):
    """The times in which 1, 2 ... 99 of a hundred answers were there."""
    latencies = [latency for latency, failure in answers if failure is None]
    return statistics.quantiles(latencies, n=100, method="inclusive")


def outcomes(answers):
    counted = collections.Counter(failure or "answered" for _, failure in answers)
    for outcome, number in sorted(counted.items()):
        print(f"{outcome}: {number}")


def ramp(url, speed, waves):
    requests = [(second / speed, (url,)) for second, wave in waves for _ in range(wave)]
    answers = send(requests, 0.5 / speed)
    outcomes(answers)
    if sum(failure is None for _, failure in answers) < 2:
        return  # no percentiles of that
    latencies = within(answers)
    for percent in (50, 90):
        print(f"{percent} %: {1000 * latencies[percent - 1]:.0f} ms")


def closed_or_open(site, speed):
    still = max(1 / speed, 0.25)
    url, closed = site.url + "/pages/1", []

    def closed_loop(zero):
        sleep_until(zero)
        for _ in range(20):
            sent = time.monotonic()
            failure = ask(url)
            closed.append((time.monotonic() - sent, failure))
            time.sleep(0.1 / speed)

    def meanwhile(zero):
        user = threading.Thread(target=closed_loop, args=[zero])
        user.start()
        sleep_until(zero + still)
        site.go_on()
        user.join()

    site.stand_still()
    opened = send([(still * n / 10, (url,)) for n in range(20)], 0.5 / speed, meanwhile)
    for name, answers in (("closed", closed), ("open", opened)):
        print(f"figure\t{name} loop: 90 %\t{within(answers)[89]:.9f}")


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--rule", type=rule, default="0:50,1:30", help="SECOND:REQUESTS,...")
    parser.add_argument("--url", help="ask this server, not the local site")
    options = parser.parse_args()
    if options.url:
        ramp(options.url, options.speed, options.rule)
        return
    with Site(latency=0.8) as site:
        ramp(site.url + "/pages/1", options.speed, options.rule)
    with Site() as site:
        closed_or_open(site, options.speed)
        by_reason(site, options.speed)
    with Site() as site:
        stops_halfway(site, options.speed)


if __name__ == "__main__":
    main()
