"""How cost grows: curves, as SVG that is the same for the same figures."""

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "mod_grip_chat"
# Text stays text: the file is small, and can be searched.
matplotlib.rcParams["svg.fonttype"] = "none"

# pylint: disable=wrong-import-position
from matplotlib import pyplot

from bench import bench_posts, bench_reads
from bench.bench_fill import with_rooms
from bench.bench_load import Load, median, request, side_by_side
from harness import paths
from harness.client import messages_path

PLOTS = paths.ROOT / "docs" / "plots"


def _medians(bench, loads, of):
    sides = side_by_side([lambda load=load: load.run(bench.scale.seconds) for load in loads],
                         bench.scale.runs)
    return [median([one[of] for one in side]) for side in sides]


def connections(bench):
    """Rates in parts of the static file's at 64 connections, so that no machine's speed shows."""
    apache = bench.apache_that_publishes(processes="one large child", fill=with_rooms(1, 50))
    listed = apache.client.get(messages_path("r1")).body
    file = apache.static_file(listed)
    counts = [1, 8, 64, 256]
    curves = {"static file": [], "GET messages": [], "handler that stores nothing": [],
              "POST, durable": []}
    for count in counts:
        loads = [Load(apache.port, [request(path)], count) for path in (file, messages_path("r1"))]
        loads += bench_posts.loads(apache, count, "r2")[:2]
        for curve, rate in zip(curves.values(), _medians(bench, loads, "rate")):
            curve.append(rate)
    whole = curves["static file"][counts.index(64)]
    return ("connections", counts, "rate ÷ rate of the static file at 64 connections",
            {name: [rate / whole for rate in curve] for name, curve in curves.items()})


def rooms(bench):
    """Lists of so many rooms in turn, with the cache as large as it is by default."""
    counts = [n for n in (1, 10, 100, 1000, 5000, 20000) if n <= bench.scale.rooms]
    loads = []
    for count in counts:
        apache = bench.apache(fill=with_rooms(count, 50))
        loads.append(Load(apache.port, [request("/rooms/r{n}/messages/")], 1, cycle=count))
    times = _medians(bench, loads, "time")
    return ("rooms", counts, "time ÷ time with one room",
            {"GET messages, each room in turn, GripChatCacheSize 32M": [t / times[0] for t in times]})


def messages(bench):
    counts = [10 ** n for n in range(3, 8) if 10 ** n <= bench.scale.messages]
    times = _medians(bench, [bench_reads.cold_load(bench, count) for count in counts], "p50")
    return ("messages stored", counts, "time (p50) ÷ time with 1,000",
            {"GET messages of a cold room": [t / times[0] for t in times]})


_PLOTS = {"connections": connections, "rooms": rooms, "messages": messages}


def _draw(name, found):
    x_label, xs, y_label, curves = found
    figure, axes = pyplot.subplots(figsize=(6.4, 3.6), layout="constrained")
    for label, ys in curves.items():
        axes.plot(xs, ys, marker="o", label=label)
    axes.set(xscale="log", xlabel=x_label, ylabel=y_label)
    axes.set_xticks(xs, [f"{x:,}" for x in xs])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(PLOTS / f"{name}.svg", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)


def make(scale, measure, write):
    """Measures each curve, says it, and draws it if it shall be kept."""
    for name, measured in _PLOTS.items():
        found = measure(measured, scale)
        for label, ys in found[3].items():
            print(f"grow {name:13} {label}: " +
                  ", ".join(f"{x:,}: {y:.2f}" for x, y in zip(found[1], ys)), flush=True)
        if write:
            PLOTS.mkdir(exist_ok=True)
            _draw(name, found)
