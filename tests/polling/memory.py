#!/usr/bin/env python3
"""What a hostile body costs in memory, with the real binary: `diemtin once` on one site whose feed is a bomb, against the same
on a healthy feed. A failure: more than 16 MB above the healthy one, or a bomb that was read.

    cargo build --release && tests/polling/memory.py [--binary target/release/diemtin]      about 20 seconds

Python 3.11 alone; the peak is what the kernel says of the ended process (ru_maxrss).
"""
import argparse, base64, gzip, http.server, pathlib, subprocess, sys, tempfile, threading

LIMIT_MB = 16
HERE = pathlib.Path(__file__).resolve().parents[2]
MIB = 1 << 20
HEALTHY = b"<rss version='2.0'><channel><title>A</title><item><title>Tin</title><link>/p/1</link></item></channel></rss>"


def packed(size):
    """`size` zero bytes by gzip, in members so that no gigabyte is held here."""
    member = gzip.compress(bytes(MIB), 9)
    return member * (size // MIB)


def zstd_zeros(size):
    """A frame of run-length blocks of 128 KiB each (RFC 8878, 3.1.1.2)."""
    head = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\x68"  # a window of 8 MiB, the largest that RFC 9659 allows, and no size
    count = size // (128 << 10)
    block = lambda last: ((128 << 10) << 3 | 1 << 1 | last).to_bytes(3, "little") + b"\x00"
    return head + block(0) * (count - 1) + block(1)


# 64 MiB of zeros by brotli, with a window of 16 MiB, the largest
BROTLI = base64.b64decode("z///f/gnAOKxQCD3/p/////wTwDEYQGA7v0/////4Z8AiMMiAN37//z//8c/ARCHBQC69/8=")


BODIES = {
    "healthy": (None, HEALTHY),
    "gzip, 1 GiB": ("gzip", packed(1 << 30)),
    "gzip twice, 1 GiB": ("gzip", gzip.compress(packed(1 << 30), 9)),
    "gzip twice, 1 GiB, declared": ("gzip, gzip", gzip.compress(packed(1 << 30), 9)),
    "gzip, 1 GiB, not declared": (None, packed(1 << 30)),
    "zstd, 1 GiB": ("zstd", zstd_zeros(1 << 30)),
    "brotli, 64 MiB of 53 bytes": ("br", BROTLI),
    "text, 9 MiB (read, and no feed)": (None, b"<html>" + b"a" * (9 * MIB)),
    "Content-Length 4 GiB": "length",
    "chunks without an end": "chunks",
    "a body without an end": "endless",
    "headers without an end": "headers",
}


STARTER = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stderr=subprocess.STDOUT)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""


class Server(http.server.BaseHTTPRequestHandler):
    kind = "healthy"

    def do_GET(self):
        body = BODIES[Server.kind]
        if self.path != "/feed":
            return self.send_error(404)
        try:
            self.bomb(body) if isinstance(body, str) else self.page(*body)
        except OSError:
            pass  # it has seen enough

    def page(self, coding, body):
        self.send_response(200)
        if coding:
            self.send_header("Content-Encoding", coding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def bomb(self, kind):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        if kind == "headers":
            while True:
                self.wfile.write(b"X-A: " + b"a" * 1000 + b"\r\n")
        head = {"length": b"Content-Length: 4294967296\r\n", "chunks": b"Transfer-Encoding: chunked\r\n"}.get(kind, b"")
        self.wfile.write(head + b"\r\n")
        piece = b"a" * 65536
        while True:
            self.wfile.write(b"10000\r\n" + piece + b"\r\n" if kind == "chunks" else piece)

    def log_message(self, *_):
        pass


def run(binary, kind, port):
    """Peak in MB, and what was said."""
    Server.kind = kind
    with tempfile.TemporaryDirectory() as folder:
        text = f"""[http]
allow_private = true
host_gap = "0s"
[store]
min_free = "0"
[[site]]
id = "a"
name = "A"
province = "Huế"
kind = "party"
feeds = ["http://127.0.0.1:{port}/feed"]
pages = false
"""
        pathlib.Path(folder, "config.toml").write_text(text)
        # started by a small process: what is started from here counts with the size of this one
        done = subprocess.run([sys.executable, "-S", "-c", STARTER, binary, "once"], cwd=folder, capture_output=True)
        return int(done.stderr.split()[-1]) / 1024, done.stdout.decode()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=HERE / "target/release/diemtin", type=pathlib.Path)
    binary = parser.parse_args().binary.resolve()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port, wrong = server.server_address[1], 0
    healthy = max(run(binary, "healthy", port)[0] for _ in range(3))
    print(f"{healthy:8.1f} MB  healthy")
    for kind in list(BODIES)[1:]:
        peak, said = run(binary, kind, port)
        line = next((line for line in said.splitlines() if "failed:" in line), said.strip())
        bad = peak - healthy > LIMIT_MB or "failed:" not in said
        wrong += bad
        print(f"{peak - healthy:+8.1f} MB  {kind}: {line.split('failed: ')[-1]}{'   WRONG' if bad else ''}", flush=True)
    sys.exit(1 if wrong else 0)


main()
