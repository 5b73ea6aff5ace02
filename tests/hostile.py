#!/usr/bin/env python3
"""What documents made to hurt cost.   tests/hostile.py [BINARY]   (default: target/release/diemtin)

Each is read by `BINARY try parse FILE` in a process of its own. Fails if one takes more than 0.5 s of CPU or 64 MiB,
is not answered, or if an external entity's file shows in the answer. Needs Linux (ru_maxrss in KiB)."""
import gzip, json, os, subprocess, sys, tempfile, zlib

CPU, MIB = 0.5, 64


def rss(inside, head=""):
    return (head + '<rss version="2.0"><channel><title>t</title>' + inside + "</channel></rss>").encode()


def item(inside):
    return "<item><title>x</title><link>https://a.vn/1</link>" + inside + "</item>"


def laughs():
    lols = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return rss(item("<description>&l9;</description>"), f'<!DOCTYPE rss [<!ENTITY l0 "lol">{lols}]>')


def xxe(secret):
    return rss(item("<description>&x;&y;</description>"),
               f'<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/x.dtd" [<!ENTITY x SYSTEM "file://{secret}"><!ENTITY % p SYSTEM "http://127.0.0.1:9/p">%p;<!ENTITY y SYSTEM "http://127.0.0.1:9/y">]>')


def bases():
    base = "/".join(["d"] * 1000)
    return (f'<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://a.vn/{base}/">' +
            "".join(f'<entry><link href="{n}"/></entry>' for n in range(10_000)) + "</feed>").encode()


def scopes():
    nested = "".join(f"<n{n} " + " ".join(f'xmlns:p{n}x{m}="u"' for m in range(60)) + ">" for n in range(90))
    return nested + "<z:a/>" * 400_000


def documents(secret):
    return {
        "billion laughs": laughs,
        "external entities": lambda: xxe(secret),
        "1,000,000 nested elements": lambda: rss("<a>" * 1_000_000),
        "1,000,000 nested in an item": lambda: rss(item("<div>" * 1_000_000)),
        "200,000 attributes": lambda: rss(item("<description" + "".join(f' a{n}="b"' for n in range(200_000)) + ">y</description>")),
        "attribute of 20 MB": lambda: rss(item(f'<enclosure url="{"u" * 20_000_000}"/>')),
        "address of 20 MB": lambda: rss(f"<item><link>https://a.vn/{'u' * 20_000_000}</link></item>"),
        "title of 20 MB": lambda: rss(f"<item><title>{'t ' * 10_000_000}</title></item>"),
        "200,000 items": lambda: rss(item("") * 200_000),
        "5 MB of <": lambda: rss(item("<" * 5_000_000)),
        "5 MB of < in a title": lambda: rss("<item><title>" + "<" * 5_000_000 + "</title></item>"),
        "300 titles of open scripts": lambda: rss(f"<item><title><![CDATA[{'<script' * 2280}]]></title></item>" * 300),
        "5 MB of open CDATA": lambda: rss(item("<description>" + "<![CDATA[" * 555_555)),
        "5 MB of open comments": lambda: rss(item("<description>" + "<!--" * 1_250_000)),
        "5 MB of open instructions": lambda: rss(item("<?x" * 1_666_666)),
        "5 MB of DOCTYPEs": lambda: rss("", "<!DOCTYPE a [" * 384_615),
        "5 MB of &": lambda: rss(item("<description>" + "&" * 5_000_000 + "</description>")),
        "5 MB of & in an Atom text": lambda: ('<feed xmlns="http://www.w3.org/2005/Atom"><entry><content>' + "&" * 5_000_000 +
                                      "</content></entry></feed>").encode(),
        "5 MB of stray end tags": lambda: rss(item("</q>" * 1_250_000)),
        "20,000 authors an item": lambda: rss(item("<author><name>a</name></author>" * 20_000) * 8),
        "20,000 dates an item": lambda: rss(item("<pubDate>soon</pubDate>" * 20_000) * 10),
        "10,000 addresses by one long base": bases,
        "5,400 prefixes declared": lambda: rss(item(scopes())),
        "JSON of 5,000,000 numbers": lambda: ('{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","x":[' +
                                      "1," * 5_000_000 + "1]}]}").encode(),
        "JSON nested 1,000,000 deep": lambda: ('{"version":"https://jsonfeed.org/version/1.1","items":' + "[" * 1_000_000).encode(),
        "gzip of 1 GB": lambda: gzip.compress(rss("<item><title>x</title></item>") + b" " * 100_000_000, 6) * 10,
        "gzip in zlib of 1 GB": lambda: zlib.compress(gzip.compress(b" " * 1_000_000_000, 9)),
        "16 MB of one line in TCVN3": lambda: b"<rss><channel><title>" + "§¶ng bé thµnh phè ".encode("cp1252") * 900_000,
        "16 MB in UTF-16": lambda: rss(item("x" * 8_000_000)).decode().encode("utf-16"),
        "5 MB of NULs": lambda: b"\0" * 5_000_000,
    }


def apart(work):
    """Done in a process of its own: what this one has used counts for each that it starts."""
    pid = os.fork()
    if pid == 0:
        os._exit(work() or 0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def write(path, body):
    with open(path, "wb") as file:
        file.write(body)


def read(binary, path, answer):
    with open(answer, "wb") as out:
        child = subprocess.Popen([binary, "try", "parse", "--jobs", "1", path], stdout=out, stderr=subprocess.DEVNULL)
        _, _, used = os.wait4(child.pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def judge(name, cpu, mib, path, answer):
    with open(answer, "rb") as file:
        text = file.read()
    said = json.loads(text) if text else {}
    says = f"{len(said['entries'])} entries" if said.get("ok") else said.get("error", "")
    wrong = [why for why, holds in (("CPU", cpu > CPU), ("MEMORY", mib > MIB), ("NO ANSWER", "ok" not in said),
                                    ("LEAK", b"s3cret" in text)) if holds]
    print(f"{name:36} {os.path.getsize(path) / 1e6:6.1f} MB  {cpu:5.2f} s  {mib:5.0f} MiB  {says[:60]} {' '.join(wrong)}", flush=True)
    return len(wrong)


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "target/release/diemtin")
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        secret, path, answer = (os.path.join(folder, name) for name in ("secret", "document", "answer"))
        write(secret, b"s3cret")
        for name, make in documents(secret).items():
            apart(lambda: write(path, make()))
            cpu, mib = read(binary, path, answer)
            wrong += apart(lambda: judge(name, cpu, mib, path, answer))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
