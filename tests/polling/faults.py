#!/usr/bin/env python3
"""1,000 feeds on 50 addresses, 45 % of them faulty in every way that ../shared/eval/poll/server.py knows, polled by
`diemtin once` with the real binary. Without that folder there is nothing to poll against.

    cargo build --release && tests/polling/faults.py                     about 5 minutes, two rounds

A failure: an entry of a healthy feed that did not arrive, a panic, a peak beyond 128 MB, a round that takes longer than
--within seconds, or a request that shows that an XML entity was followed (XXE).
"""
import argparse, json, pathlib, re, shutil, subprocess, sys, tempfile, time, urllib.request

HERE = pathlib.Path(__file__).resolve().parents[2]
FARM = HERE.parent / "shared/eval/poll"
RETRY_AFTER = 5
STARTER = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.returncode, file=sys.stderr)
"""


def modes(server):
    """As the server's own description lists them."""
    text = (server.parent / "README.md").read_text()
    listed = re.search(r"## Modes\n(.*?)\n\n", text, re.S).group(1)
    return [mode for mode in re.findall(r"[a-z0-9]+", re.sub(r"\(.*?\)", "", listed)) if mode != "ok"]


def configuration(urls):
    text = """[store]
min_free = "0"
[http]
allow_private = true
host_gap = "0s"
[poll]
concurrency = 16
"""
    for n, url in enumerate(urls):
        text += f"""[[site]]
id = "s{n}"
name = "Site {n}"
province = "Huế"
kind = "party"
pages = false
select = false
feeds = ["{url}"]
"""
    return text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=HERE / "target/release/diemtin", type=pathlib.Path)
    parser.add_argument("--farm", default=FARM / "server.py", type=pathlib.Path)
    parser.add_argument("--feeds", default=1000, type=int)
    parser.add_argument("--share", default=0.45, type=float)
    parser.add_argument("--within", default=900, type=int)
    parser.add_argument("--port", default=18180, type=int)
    options = parser.parse_args()
    if not options.farm.exists():
        sys.exit(f"{options.farm} is not there: nothing to poll against")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="diemtin-faults-"))
    names = modes(options.farm)
    each = options.share / len(names)
    faults = ",".join(f"{name}={each:.6f}" for name in names)
    farm = [sys.executable, options.farm, "--feeds", options.feeds, "--hosts", 50, "--port", options.port, "--warm"]
    farm += ["--retry-after", RETRY_AFTER]
    farm += ["--faults", faults, "--log", folder / "req.jsonl", "--urls", folder / "urls.txt", "--max-seconds", 3600]
    farm = subprocess.Popen([str(word) for word in farm], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        while "READY" not in (line := farm.stdout.readline()):
            if not line:
                sys.exit("the farm does not start")
        wrong = play(options, folder, names)
    finally:
        farm.kill()
    shutil.rmtree(folder)
    sys.exit(1 if wrong else 0)


def play(options, folder, names):
    urls = (folder / "urls.txt").read_text().split()
    (folder / "config.toml").write_text(configuration(urls))
    start = time.monotonic()
    command = [sys.executable, "-S", "-c", STARTER, options.binary.resolve(), "once"]
    with open(folder / "out", "w") as out, open(folder / "err", "w") as err:
        subprocess.run(command, cwd=folder, stdout=out, stderr=err, check=True)
        took = time.monotonic() - start
        # the neighbours of a feed that answered 429 or 503 were left alone as long as their host asked for
        time.sleep(RETRY_AFTER + 1)
        subprocess.run(command, cwd=folder, stdout=out, stderr=err, check=True)
    out, err = (folder / "out").read_text(), (folder / "err").read_text()
    ends = re.findall(r"peak (\d+) (-?\d+)", err)
    peak, code = max(int(peak) for peak, _ in ends), "0" if all(code == "0" for _, code in ends) else "not 0"
    base = re.match(r"http://[^/]+", urls[0]).group(0)
    truth = [json.loads(line) for line in urllib.request.urlopen(f"{base}/_truth").read().splitlines()]
    kept = set()
    for file in folder.glob("var/export/articles/*/*/*/*.json"):
        article = json.loads(file.read_bytes())
        kept.add(article["url"])
        kept.update(copy["url"] for copy in article["copies"])
    healthy = [entry for entry in truth if entry["mode"] == "ok"]
    lost = [entry["url"] for entry in healthy if entry["url"] not in kept]
    sites = subprocess.run([options.binary.resolve(), "sites", "--json"], cwd=folder, capture_output=True, text=True).stdout
    states = {}
    for row in map(json.loads, sites.splitlines()):
        states[row["state"]] = states.get(row["state"], 0) + 1
    score = subprocess.run([sys.executable, options.farm.parent / "score.py", folder / "req.jsonl"], capture_output=True, text=True).stdout
    print(f"{len(urls)} feeds, {len(names)} modes of fault, {len({e['mode'] for e in truth})} modes with entries")
    print(f"round: {took:.0f} s (at most {options.within}), exit code {code}, peak {int(peak) / 1024:.0f} MB (at most 128)")
    print(f"entries of healthy feeds: {len(healthy)}, lost {len(lost)} {lost[:3]}")
    print(f"sites: {states}")
    print(score)
    xxe = re.search(r"xxe\D*(\d+)", score, re.I)
    wrong = {
        "entries lost": lost or not healthy,
        "a panic": "panicked" in err or "mistake of diemtin" in out or code != "0",
        "memory": int(peak) > 128 * 1024,
        "time": took > options.within,
        "XXE": xxe and int(xxe.group(1)) > 0,
    }
    wrong = [name for name, bad in wrong.items() if bad]
    print("WRONG: " + ", ".join(wrong) if wrong else "all is well")
    return wrong


main()
