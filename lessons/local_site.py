"""The local site, for the programs beside the lessons."""

import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
COMMAND = ["cargo", "run", "--quiet", "--package", "shared", "--features", "site",
           "--bin", "site", "--", "--listen", "127.0.0.1:0", "--until-eof"]


class Site:
    """Is there as long as the block lasts. It ends when its standard input does,
    also if whoever started it is killed."""

    def __init__(self, latency=0, *options):
        self.process = subprocess.Popen(
            [*COMMAND, "--latency", str(latency), *options], cwd=TOP, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            sys.exit("peer.py: the local site does not start; try `just site`")

    @property
    def address(self):
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
