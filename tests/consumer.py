"""Follows a diemtin export folder: python3 consumer.py EXPORT STATE.json, again and again."""
import json, sys
from hashlib import sha256
from pathlib import Path

export, state = Path(sys.argv[1]), Path(sys.argv[2])

def take(kept, id, path):
    try:
        data = (export / path).read_bytes()
        kept[id] = [path, sha256(data).hexdigest()]  # here: do something with json.loads(data)
    except FileNotFoundError:
        kept.pop(id, None)  # deleted since: a later line says so

def begin():
    """Everything, by the manifest."""
    manifest, kept = json.loads((export / "manifest.json").read_bytes()), {}
    for path in (file["path"] for file in manifest["files"]):
        if path.startswith("articles/") and path.endswith(".json"):
            take(kept, Path(path).stem, path)
    return {"seq": manifest["seq"], "last": None, "kept": kept}

def follow(seq, last, kept):
    """The changes after `seq`, up to HEAD; `last` is the change of that number as it was read."""
    head = int((export / "changes/HEAD").read_text())
    firsts = sorted(int(path.stem) for path in (export / "changes").glob("[0-9]*.jsonl"))
    if head < seq or head > seq and firsts[0] > seq + 1:
        return begin()  # another store, or the log no longer goes back so far
    for first in [first for first in firsts if first <= head and not any(first < next <= seq for next in firsts)]:
        for change in map(json.loads, (export / f"changes/{first}.jsonl").read_bytes().splitlines()):
            if change["seq"] == seq and last not in (None, change):
                return begin()  # another store
            if seq < change["seq"] <= head:
                seq, last = change["seq"], change
                take(kept, change["id"], change["path"]) if change["op"] == "upsert" else kept.pop(change["id"], None)
    return {"seq": head, "last": last, "kept": kept}

done = follow(**json.loads(state.read_bytes()) if state.exists() else {"seq": 0, "last": None, "kept": {}})
state.with_suffix(".tmp").write_text(json.dumps(done))
state.with_suffix(".tmp").replace(state)
