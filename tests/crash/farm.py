"""Made-up sites on loopback addresses that publish all the time; by itself: python3 farm.py [--sites 3] [--rate 1].

Everything a site serves follows from its number and from how many entries it has published, so two runs agree.
Entry n of a site is at /tin/<n>-<story>.html. Every fifth one (n % 5 == 2) is the same story on all sites; every
seventh (n % 7 == 3, where it is no shared one) gets a longer text and another title once four more are out.
"""

import argparse
import functools
import gzip
import hashlib
import random
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = (
    "bà con thôn xóm đường làng mương nước ruộng lúa vườn cây ao cá chợ quê bến đò trường học trạm xá nhà văn hóa "
    "tổ dân phố cán bộ xã huyện tỉnh đoàn thể hội phụ nữ thanh niên nông dân cựu chiến binh mặt trận họp bàn góp ý "
    "vận động hiến đất mở rộng sửa chữa trồng mới thu hoạch gieo cấy giống tốt phân bón giá bán thương lái hợp tác "
    "tiết kiệm giúp đỡ thăm hỏi tặng quà xây cầu lắp đèn vệ sinh môi trường rác thải nguồn điện an ninh trật tự hòa "
    "giải lắng nghe giải thích đồng thuận công khai giám sát đóng góp ngày công tiền của sáng chiều hôm qua tuần tới "
    "mùa mưa nắng gió bão lũ sạt lở phòng chống khắc phục kịp thời nhanh chóng bền vững"
).split()


def story_of(site, n):
    return f"chung-{n}" if n % 5 == 2 else f"{site}-{n}"


def words(rng, count):
    text = " ".join(rng.choice(WORDS) for _ in range(count))
    return text[0].upper() + text[1:]


@functools.lru_cache(4096)
def article(site, n, revised):
    """Title and paragraphs."""
    rng = random.Random(story_of(site, n))
    title = words(rng, 11)
    paragraphs = [words(rng, rng.randint(35, 60)) + "." for _ in range(rng.randint(4, 6))]
    if revised:
        paragraphs.append(words(rng, 40) + ".")
        title += " (cập nhật)"
    return title, paragraphs


class Farm:
    """`rate`: entries a second and site; 0: what there is stays. A feed shows the latest 15, or those of 3 seconds."""

    def __init__(self, sites=3, rate=1.0, first=15, net="127.3.0"):
        self.sites, self.rate, self.first, self.start = sites, rate, first, time.monotonic()
        self.window = max(15, int(rate * 3))
        self.servers, self.bases = [], []
        for site in range(sites):
            server = ThreadingHTTPServer((f"{net}.{site + 1}", 0), handler(self, site))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.servers.append(server)
            self.bases.append("http://%s:%d" % server.server_address[:2])

    def count(self):
        return self.first + int((time.monotonic() - self.start) * self.rate)

    def revised(self, n):
        return n % 7 == 3 and n % 5 != 2 and self.count() >= n + 5

    def feed(self, site):
        items = []
        last = self.count()
        for n in range(max(0, last - self.window), last):
            title, paragraphs = article(site, n, self.revised(n))
            link = f"{self.bases[site]}/tin/{n}-{story_of(site, n)}.html"
            items.append(
                f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid>"
                f"<pubDate>{formatdate(1704700000 + n * 1000)}</pubDate>"
                f"<description>{paragraphs[0]}</description></item>"
            )
        items = "\n".join(reversed(items))
        return f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>Trang {site}</title>\n{items}\n</channel></rss>\n'

    def page(self, site, n):
        title, paragraphs = article(site, n, self.revised(n))
        body = "\n".join(f"<p>{text}</p>" for text in paragraphs)
        side = "".join(f'<li><a href="/tin/{k}-x.html">Tin khác số {k}</a></li>' for k in range(8))
        return (
            f"<!doctype html><html lang=vi><head><meta charset=utf-8><title>{title}</title></head><body>"
            f'<ul class="menu"><li>Trang chủ</li><li>Liên hệ</li></ul><h1 class="tieu-de">{title}</h1>'
            f'<div class="noi-dung">{body}</div><ul class="tin-khac">{side}</ul><footer>Trang {site}</footer></body></html>'
        )

    def config(self, folder, every="1s", more=""):
        """config.toml for these sites, with the store and the export below `folder`."""
        text = f"""[store]
path = "{folder}/store"
raw_pages = "1d"
[export]
path = "{folder}/export"
[poll]
every = "{every}"
at_least = "1s"
[http]
host_gap = "0s"
timeout = "10s"
allow_private = true
[status]
listen = ""
{more}
[layout.trang]
title = "h1.tieu-de"
body = ".noi-dung"
"""
        for site, base in enumerate(self.bases):
            text += f"""[[site]]
id = "trang-{site}"
name = "Trang {site}"
province = "Hưng Yên"
kind = "newspaper"
layout = "trang"
select = false
feeds = ["{base}/rss.xml"]
"""
        return text


def handler(farm, site):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if self.path == "/rss.xml":
                return self.answer(farm.feed(site), "application/rss+xml")
            number = self.path.removeprefix("/tin/").split("-")[0]
            if number.isdigit() and int(number) < farm.count():
                return self.answer(farm.page(site, int(number)), "text/html; charset=utf-8")
            self.answer("", "text/plain", 404)

        def answer(self, text, mime, status=200):
            body = text.encode()
            tag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
            if status == 200 and self.headers.get("If-None-Match") == tag:
                status, body = 304, b""
            zipped = "gzip" in self.headers.get("Accept-Encoding", "") and body
            body = gzip.compress(body, 1, mtime=0) if zipped else body
            self.send_response(status)
            self.send_header("ETag", tag)
            self.send_header("Content-Type", mime)
            if zipped:
                self.send_header("Content-Encoding", "gzip")
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle(self):
            try:
                super().handle()
            except (ConnectionError, TimeoutError):
                pass  # the daemon was killed

        def log_message(self, *_):
            pass

    return Handler


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sites", type=int, default=3)
    options.add_argument("--rate", type=float, default=1.0)
    options = options.parse_args()
    print(Farm(options.sites, options.rate).config("/tmp/farm"), flush=True)
    threading.Event().wait()
