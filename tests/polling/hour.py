#!/usr/bin/env python3
"""An hour of the real daemon on 1,000 feeds that publish: memory and file descriptors by the minute, and the slope of the memory
after a quarter of an hour.

    cargo build --release && tests/polling/hour.py [--minutes 60] [--select false]

A failure: a slope of 1 MB an hour or more, descriptors that grow, a feed that is not asked, or a daemon that ends. Needs
../shared/eval/poll (server.py).
"""
import argparse, json, os, pathlib, shutil, signal, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parents[2]
FARM = HERE.parent / "shared/eval/poll"
WARM = 15
HEAD = """[store]
min_free = "0"
[poll]
every = "2m"
at_least = "1m"
at_most = "5m"
[http]
host_gap = "0s"
allow_private = true
[status]
listen = ""
"""
SITE = """[[site]]
id = "s{n}"
name = "Trang {n}"
province = "Huế"
kind = "party"
select = {select}
feeds = ["{url}"]
"""


def kib(pid, field):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(field + ":"))


def slope(points):
    """Least squares, in units of y by one of x."""
    x, y = (sum(values) / len(points) for values in zip(*points))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def watch(daemon, minutes):
    began, seen = time.monotonic(), []
    for minute in range(minutes + 1):
        time.sleep(max(0, began + 60 * minute - time.monotonic()))
        if daemon.poll() is not None:
            sys.exit(f"the daemon ended with {daemon.returncode} after {minute} minutes")
        descriptors = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        seen.append((minute, kib(daemon.pid, "VmRSS") / 1024, descriptors))
        print("{:3} min  {:7.1f} MB  {:4} descriptors".format(*seen[-1]), flush=True)
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=HERE / "target/release/diemtin", type=pathlib.Path)
    parser.add_argument("--minutes", default=60, type=int)
    parser.add_argument("--feeds", default=1000, type=int)
    parser.add_argument("--select", default="true")
    parser.add_argument("--port", default=18480, type=int)
    options = parser.parse_args()
    if not (FARM / "server.py").exists():
        sys.exit(f"{FARM}/server.py is not there: nothing to poll against")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="diemtin-hour-"))
    farm = [sys.executable, FARM / "server.py", "--feeds", options.feeds, "--hosts", 50, "--port", options.port, "--warm"]
    farm += ["--publish-every", 300, "--log", folder / "log", "--urls", folder / "urls", "--max-seconds", 60 * options.minutes + 600]
    farm = subprocess.Popen([str(word) for word in farm], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    daemon = None
    try:
        while "READY" not in (line := farm.stdout.readline()):
            if not line:
                sys.exit("the farm does not start")
        urls = (folder / "urls").read_text().split()
        sites = "".join(SITE.format(n=n, url=url, select=options.select) for n, url in enumerate(urls))
        (folder / "config.toml").write_text(HEAD + sites)
        with open(folder / "err", "w") as err:
            daemon = subprocess.Popen([options.binary.resolve(), "run"], cwd=folder, stderr=err)
        seen = watch(daemon, options.minutes)
        daemon.send_signal(signal.SIGTERM)
        ended, peak = os.wait4(daemon.pid, 0)[1:]
    finally:
        farm.terminate()
        farm.wait()
        if daemon and daemon.poll() is None:
            daemon.kill()
    warm = [(minute / 60, memory) for minute, memory, _ in seen if minute >= min(WARM, options.minutes // 2)]
    descriptors = [count for minute, _, count in seen if minute >= min(WARM, options.minutes // 2)]
    asked = {}
    for line in open(folder / "log"):
        row = json.loads(line)
        asked[row["kind"]] = asked.get(row["kind"], 0) + 1
    log = (folder / "err").read_text()
    print(f"slope {slope(warm):+.2f} MB/h, peak {peak.ru_maxrss / 1024:.0f} MB, CPU {peak.ru_utime + peak.ru_stime:.0f} s")
    print(f"descriptors {min(descriptors)} to {max(descriptors)}, slope {slope([(m / 60, d) for m, _, d in seen if m >= WARM] or [(0, 0), (1, 0)]):+.1f}/h")
    print(f"asked {asked}; exit {os.waitstatus_to_exitcode(ended)}; {log.count('panicked')} panics, {log.count(' ERROR ')} errors")
    wrong = {
        "memory grows": slope(warm) >= 1,
        "descriptors grow": max(descriptors[len(descriptors) // 2 :]) > max(descriptors[: len(descriptors) // 2]) + 8,
        "not all feeds were asked": asked.get("feed", 0) < options.feeds * options.minutes / 10,
        "it did not end well": ended != 0 or "panicked" in log,
    }
    wrong = [name for name, bad in wrong.items() if bad]
    print("WRONG: " + ", ".join(wrong) if wrong else "all is well")
    shutil.rmtree(folder)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
