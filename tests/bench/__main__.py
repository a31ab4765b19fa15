"""`./dev bench`: what we take, as a ratio to a yardstick that is measured in the same run."""

import argparse
import dataclasses
import re
import sys

from bench import (bench_original, bench_page, bench_posts, bench_reads, bench_streams, bench_table,
                   bench_tls)
from bench.bench_apache import BenchApache
from bench.bench_scale import FULL, QUICK, SMOKE
from harness import paths
from harness.pushpin import Pushpin
from harness.servers import Servers

ROWS = {**bench_reads.ROWS, **bench_tls.ROWS, **bench_posts.ROWS, **bench_streams.ROWS,
        **bench_page.ROWS, **bench_original.ROWS}
# In the order of the table.
ORDER = ["messages", "not-modified", "events-hs256", "events-es256", "events-next", "posts",
         "posts-four", "posts-prefork", "post-alone", "pushpin", "cold-rooms", "stored", "memory",
         *bench_tls.ROWS, *bench_streams.ROWS, *bench_page.ROWS]


class Bench:
    """What a row works with: servers that end with it, and how long it may take."""

    def __init__(self, scale, original=None):
        self.scale = scale
        self.original = original  # the folder of its sources
        self.servers = Servers()

    def apache(self, **options):
        """Without a proxy, unless `grip_urls` names some."""
        options.setdefault("grip_urls", ["none"])
        return self.servers.keep(BenchApache(**options), BenchApache.stop).start()

    def apache_that_publishes(self, **options):
        """With a listener in the place of its proxy: a Pushpin would take a processor of its own."""
        url = self.servers.listener().url + "?key=changeme"
        return self.apache(grip_urls=[url], **options)

    def behind_pushpin(self, **options):
        pushpin = []

        class Behind(BenchApache):
            def _site(self, apache):
                pushpin.append(Pushpin(apache.port, **options))
                self._grip_urls = [pushpin[0].grip_url]
                return super()._site(apache)
        apache = self.servers.keep(Behind(), BenchApache.stop)
        self.servers.keep(pushpin[0], Pushpin.stop).start()
        return apache.start(), pushpin[0]


def measure(row, scale, original=None):
    bench = Bench(scale, original)
    try:
        return row(bench)
    finally:
        bench.servers.end()


def _arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, smaller databases")
    parser.add_argument("--smoke", action="store_true", help="only whether the bench works")
    parser.add_argument("--long", action="store_true", help="the memory row sends 10 million requests")
    parser.add_argument("--runs", type=int, help="runs of each side that count")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and its plots")
    parser.add_argument("-k", metavar="EXPR", default="", help="only rows whose name this matches")
    parser.add_argument("--original", metavar="DIR", help="rows beside the original demo, whose folder"
                        " `origin` this is")
    parser.add_argument("--no-plots", action="store_true", help="the table alone")
    return parser.parse_args()


def main():
    options = _arguments()
    scale = SMOKE if options.smoke else QUICK if options.quick else FULL
    if options.runs:
        scale = dataclasses.replace(scale, runs=options.runs)
    if options.long:
        scale = dataclasses.replace(scale, requests=10000000)
    order = ORDER + list(bench_original.ROWS) * bool(options.original)
    matched = [name for name in order if re.search(options.k, name)]
    if not matched:
        sys.exit(f"bench: no row has a name like '{options.k}': {', '.join(order)}")
    left_out = [] if paths.centrifugo() else [name for name in matched
                                              if name in bench_streams.ROWS_OF_CENTRIFUGO]
    if left_out:
        print("bench: there is no Centrifugo, on the PATH or by GRIP_CHAT_CENTRIFUGO; left out:"
              f" {', '.join(left_out)}", file=sys.stderr)
    names = [name for name in matched if name not in left_out]
    command = ("./dev bench" + " --quick" * options.quick + " --long" * options.long
               + " --original DIR" * bool(options.original))
    for name in names:
        result = measure(ROWS[name], scale, options.original)
        print(bench_table.line(result), flush=True)
        if options.write:
            bench_table.write(result, command)
    if not options.no_plots and not options.smoke and not options.k:
        from bench import bench_plots  # pylint: disable=import-outside-toplevel
        bench_plots.make(scale, measure, options.write)


if __name__ == "__main__":
    main()
