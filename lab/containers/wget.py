"""The `wget` of the lab's images: the options of BusyBox's that a health check uses. An unknown option is an error.

The machine of the lab may have no wget.
"""

import argparse
import sys
import urllib.request
from pathlib import Path

PARSER = argparse.ArgumentParser(prog="wget", allow_abbrev=False)
PARSER.add_argument("-q", action="store_true")
PARSER.add_argument("-T", dest="timeout", type=float, default=10.0, metavar="SECONDS")
PARSER.add_argument("-O", dest="output", default="", metavar="FILE")
PARSER.add_argument("--spider", action="store_true", help="only see whether it is there")
PARSER.add_argument("url")


def main(words: list[str]) -> int:
    """Fetch one URL; 0 when it answered with success, else 1, as BusyBox's wget does."""
    asked, unknown = PARSER.parse_known_args(words)
    if unknown:
        print(f"wget: unrecognized: {' '.join(unknown)}", file=sys.stderr)
        return 1
    try:
        # no proxy of the environment: the address is the container's own
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(asked.url, timeout=asked.timeout) as answer:
            body = answer.read()
        if asked.output == "-":
            sys.stdout.buffer.write(body)
        elif not asked.spider:
            Path(asked.output or asked.url.rpartition("/")[2] or "index.html").write_bytes(body)
    except (OSError, ValueError) as problem:
        print(f"wget: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
