"""Load ramp: fifty requests at once, then thirty more. The same as src/main.rs, in Python."""

import argparse
import collections
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
RULE = {0: 50, 1: 30}


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

    def stop(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def ask(url, timeout=10):
    """None, or why there was no answer."""
    try:
        with CLIENT.open(url, timeout=timeout) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.reason}".splitlines()[0]
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


def ramp(url, speed):
    requests = [(second / speed, (url,)) for second, wave in RULE.items()
                for _ in range(wave)]
    answers = send(requests, 0.5 / speed)
    outcomes(answers)
    latencies = within(answers)
    for percent in (50, 90, 99):
        print(f"figure\t{percent} % within\t{latencies[percent - 1]:.9f}")


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
    faults = ("404", "429", "500", "closed", "cut", "garbled", "html", "redirect", *slow)
    requests = [(0, (f"{site.url}/pages/1?fault={fault}", 1 / speed if fault in slow else 10))
                for fault in faults for _ in range(2)]
    outcomes(send(requests, 0.5 / speed))


def stops_halfway(site, speed):
    requests = [(0, (site.url + "/pages/1",))] * 20
    answers = send(requests, 0.5 / speed)
    site.stop()
    answers += send(requests, 0.5 / speed)
    outcomes(answers)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--url", help="ask this server, not the local site")
    options = parser.parse_args()
    if options.url:
        ramp(options.url, options.speed)
        return
    with Site(latency=0.8) as site:
        ramp(site.url + "/pages/1", options.speed)
    with Site() as site:
        closed_or_open(site, options.speed)
        by_reason(site, options.speed)
        stops_halfway(site, options.speed)


if __name__ == "__main__":
    main()
