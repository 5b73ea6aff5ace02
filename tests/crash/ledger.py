"""What an export folder has acknowledged (every change up to changes/HEAD, as a reader saw it), and whether it is there.

Reads files only; knows the folder by its README.txt, nothing of the program.
"""

import hashlib
import json
from pathlib import Path


def head_of(export):
    try:
        return int((export / "changes/HEAD").read_text())
    except FileNotFoundError:
        return 0


def log_of(export, last):
    """Lines of the change log up to a change, by number."""
    lines = {}
    for segment in sorted((export / "changes").glob("[0-9]*.jsonl"), key=lambda path: int(path.stem)):
        if int(segment.stem) <= last:
            for line in segment.read_text().splitlines():
                seq = json.loads(line)["seq"]
                if seq <= last:
                    lines[seq] = line
    return lines


class Ledger:
    def __init__(self):
        self.acknowledged = {}
        self.parsed = {}

    def see(self, export):
        """As a reader: HEAD first, then what it stands for. What was seen once must be there for ever."""
        head = head_of(export)
        if head > max(self.acknowledged, default=0):
            self.acknowledged.update(log_of(export, head))
        return head

    def check(self, export, settled):
        """Problems, one sentence each. `settled`: no round is under way or was cut."""
        problems = []
        head = head_of(export)
        log = log_of(export, head)
        most = max(self.acknowledged, default=0)
        if head < most:
            problems.append(f"LOST: HEAD was {most} and is {head}")
        first = min(log, default=1)
        for seq, line in self.acknowledged.items():
            if seq >= first and log.get(seq) != line:
                problems.append(f"LOST: change {seq} was {line} and is {log.get(seq)}")
        if settled and len(log) != head - first + 1:
            problems.append(f"LOG: {len(log)} lines from {first} to {head}")
        for seq, line in log.items():
            if seq > most:
                self.acknowledged[seq] = line
        problems += self.check_articles(export, log, settled)
        return problems

    def check_articles(self, export, log, settled):
        problems, latest = [], {}
        for seq in sorted(log):
            change = json.loads(log[seq])
            latest[change["id"]] = change
        for change in latest.values():
            found, why = self.read(export / change["path"])
            if change["op"] == "delete":
                if found and settled:
                    problems.append(f"GONE: {change['path']} was deleted and is there")
            elif not found:
                problems.append(f"LOST: {change['path']} {why}")
            elif found["sha256"] != change["sha256"] and (settled or found["rev"] <= change["rev"]):
                problems.append(f"WRONG: {change['path']} is not as change {change['seq']} says")
        return problems + self.check_once(export, settled)

    def check_once(self, export, settled):
        """No id, no address and no story twice; no file torn."""
        problems, seen = [], {}
        for path in sorted((export / "articles").rglob("*")):
            if path.is_dir() or path.suffix != ".json":
                if path.name.startswith(".") and settled:
                    problems.append(f"LEFT: {path}")
                continue
            if path.name.startswith("."):
                continue
            found, why = self.read(path)
            if not found:
                problems.append(f"TORN: {path} {why}")
                continue
            for key in {"id " + found["id"], "url " + found["url"], "story " + found["story"]}:
                if key in seen:
                    problems.append(f"TWICE: {key} in {seen[key]} and {path}")
                seen[key] = path
        return problems

    def read(self, path):
        try:
            stat = path.stat()
            key = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if self.parsed.get(path, (None,))[0] != key:
                data = path.read_bytes()
                article = json.loads(data)
                kept = {name: article[name] for name in ("id", "url", "rev")}
                kept["story"] = story(article["url"])
                kept["sha256"] = hashlib.sha256(data).hexdigest()
                self.parsed[path] = key, kept
            return self.parsed[path][1], None
        except FileNotFoundError:
            return None, "is missing"
        except (ValueError, KeyError) as why:
            return None, f"cannot be read: {why}"


def story(url):
    """A farm's address names its story; any other address stands for itself."""
    name = url.rsplit("/", 1)[1].removesuffix(".html")
    return name.split("-", 1)[1] if "/tin/" in url and "-" in name else url


def default_binary():
    return Path(__file__).resolve().parents[2] / "target/release/diemtin"
