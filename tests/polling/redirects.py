#!/usr/bin/env python3
"""Redirects into private networks, with the real binary, in a network of its own where such addresses are there to be asked:

    cargo build && unshare -rn tests/polling/redirects.py [--binary target/debug/diemtin]       a few seconds, no root

A server on a public address (of this network's loopback device alone) redirects to each address below, at the first and at the
third step; a server waits on each of them. A failure: one that is asked, or a feed that is not said to be refused.
"""
import argparse, http.server, ipaddress, json, pathlib, socket, subprocess, sys, tempfile, threading

HERE = pathlib.Path(__file__).resolve().parents[2]
PUBLIC = "113.160.0.1"
INSIDE = ["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "198.18.0.1",
          "::1", "fd00::1", "2002:a00:1::1", "64:ff9b::a00:1"]
asked = []


class Redirect(http.server.BaseHTTPRequestHandler):
    """/STEPS/NUMBER leads to the target of that number after so many steps."""

    def do_GET(self):
        _, steps, number = self.path.split("/")
        to = TARGETS[int(number)] if int(steps) == 1 else f"/{int(steps) - 1}/{number}"
        self.send_response(302)
        self.send_header("Location", to.encode().decode("latin-1"))  # UTF-8, as servers write it
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Inside(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.headers["Host"])
        self.send_error(404)

    def log_message(self, *_):
        pass


class Six(http.server.HTTPServer):
    address_family = socket.AF_INET6


def spellings(ip):
    """How an address can be written in a URL."""
    address = ipaddress.ip_address(ip)
    if address.version == 6:
        return [f"[{address}]", f"[{address.exploded}]"]
    number, parts = int(address), ip.split(".")
    dotted = lambda form: ".".join(form(int(part)) for part in parts)
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in ip)
    return [ip, ip + ".", str(number), hex(number), dotted(hex), dotted(lambda n: f"0{n:o}"), wide,
            f"{parts[0]}.{number & 0xFFFFFF}", f"[::ffff:{ip}]", f"[::ffff:{number >> 16:x}:{number & 0xFFFF:x}]", f"u:p@{ip}"]


TARGETS = [f"http://{name}:8080/" for ip in INSIDE for name in spellings(ip)]


def serve(kind, address):
    server = (Six if ":" in address[0] else http.server.ThreadingHTTPServer)(address, kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=HERE / "target/debug/diemtin", type=pathlib.Path)
    binary = parser.parse_args().binary.resolve()
    if len(socket.if_nameindex()) > 1:
        sys.exit("only in a network namespace with a loopback device alone: unshare -rn " + sys.argv[0])
    run = lambda *words: subprocess.run(words, check=True)
    run("ip", "link", "set", "lo", "up")
    for ip in [PUBLIC] + [ip for ip in INSIDE if not ip.startswith("127.") and ip != "::1"]:
        run("ip", "address", "add", f"{ip}/{'128' if ':' in ip else '32'}", "dev", "lo", *(["nodad"] if ":" in ip else []))
    serve(Redirect, (PUBLIC, 8081))
    for ip in INSIDE:
        serve(Inside, (ip, 8080))
    socket.create_connection((INSIDE[2], 8080), 5).close()  # they can be asked
    with tempfile.TemporaryDirectory() as folder:
        text = "[store]\nmin_free = \"0\"\n[http]\nhost_gap = \"0s\"\n"
        feeds = [f"http://{PUBLIC}:8081/{steps}/{number}" for steps in (1, 3) for number in range(len(TARGETS))]
        for n, feed in enumerate(feeds):
            text += f'[[site]]\nid = "s{n}"\nname = "S"\nprovince = "Huế"\nkind = "party"\nfeeds = ["{feed}"]\n'
        pathlib.Path(folder, "config.toml").write_text(text)
        out = subprocess.run([binary, "once", "--json"], cwd=folder, capture_output=True, text=True).stdout
    rounds = [json.loads(line) for line in out.splitlines()][:-1]
    let_in = [row for row in rounds if "refused: " not in (row.get("failed") or "")]
    print(f"{len(feeds)} redirects to {len(TARGETS)} spellings of {len(INSIDE)} addresses: {len(rounds) - len(let_in)} refused, {len(asked)} asked")
    for row in let_in:
        print(f"NOT REFUSED: {TARGETS[int(row['site'][1:]) % len(TARGETS)]}: {row.get('failed')}")
    sys.exit(1 if let_in or asked or len(rounds) != len(feeds) else 0)


main()
