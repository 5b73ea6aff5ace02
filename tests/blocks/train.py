#!/usr/bin/env python3
"""Learns src/extract/weights.tsv.   train.py DATA [--write WEIGHTS] [--folds N] [--rounds N]

DATA holds, for each set of pages, SET.gold.json (the right text) and SET.lines.jsonl (`cargo run --release --example
measure < SET.inputs.jsonl`), and SET.inputs.jsonl for the hosts. A line is text if most of its words are in the right
text, at that place; in the set "segments" only the lines are labelled that hold one of its strings. Hosts are dealt into
folds, so that a page is never judged by what was learned from its own site; the figures printed are of pages judged so.
Needs numpy, scipy, scikit-learn, lightgbm; nothing of this runs in diemtin."""
import argparse, json, random, re, sys
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from urllib.parse import urlparse
import lightgbm
import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

WORD = re.compile(r"\w+")
SETS = {"scrapinghub": 3.0, "fundus": 2.0, "wcxb": 1.0, "segments": 1.0}
# Limits drawn at random (Geurts et al., "Extremely randomized trees", 2006) hold better on sites not learned from.
TREES = dict(objective="binary", learning_rate=0.13, num_leaves=24, extra_trees=True, min_data_in_leaf=30,
             feature_fraction=0.3, bagging_fraction=0.8, bagging_freq=1, lambda_l2=5, min_sum_hessian_in_leaf=0.5,
             use_missing=False, verbosity=-1, num_threads=1, seed=1)


def bag(words):
    if len(words) <= 4:
        return Counter([tuple(words)] if words else [])
    return Counter(zip(*[words[at:] for at in range(4)]))


def labels(lines, gold):
    """By line, whether it is in the right text. Both are laid side by side word by word, so that a caption or a quotation
    pulled out of the text, which says what a paragraph says, is not taken for that paragraph."""
    wanted, words = WORD.findall(gold), [WORD.findall(line) for line in lines]
    shingles, vocabulary = bag(wanted), set(wanted)

    def share(w):
        given = bag(w)
        hit = sum((given & shingles).values()) / sum(given.values())
        return hit if len(w) >= 4 else sum(x in vocabulary for x in w) / len(w)

    # Some scripts write no spaces: a long line is one word.
    long = [at for at, w in enumerate(words) if len(w) >= 4 or sum(map(len, w)) >= 25]
    like = [at for at in long if share(words[at]) >= 0.4]
    flat, owner = [x for at in like for x in words[at]], [at for at in like for _ in words[at]]
    hits, first, last = Counter(), {}, {}
    for here, there, size in SequenceMatcher(None, flat, wanted, autojunk=False).get_matching_blocks():
        if size > 1 or (size and len(flat[here]) >= 8):
            for n in range(size):
                at = owner[here + n]
                hits[at] += 1
                first.setdefault(at, there + n)
                last[at] = there + n
    is_text = [hits[at] >= 0.5 * len(words[at]) if at in hits else False for at in range(len(lines))]
    # What stands elsewhere in the right text than in the page.
    left = shingles - bag([x for at in like if is_text[at] for x in words[at]])
    for at in like:
        given = bag(words[at])
        if not is_text[at] and sum((given & left).values()) >= 0.7 * sum(given.values()):
            is_text[at], left = True, left - given
    return [int(t) for t in short_lines(words, wanted, is_text, set(long), first, last)]


def short_lines(words, wanted, is_text, long, first, last):
    """Short lines are text where they fill what the lines around them leave of the right text."""
    after, following = [None] * len(words), None
    for at in range(len(words) - 1, -1, -1):
        after[at] = following
        following = at if is_text[at] else following
    before, reached = -99, 0
    for at, w in enumerate(words):
        if is_text[at]:
            before, reached = at, last.get(at, reached - 1) + 1
            continue
        if at in long or not w:
            continue
        end = len(wanted) if after[at] is None else first.get(after[at], len(wanted))
        stands = lambda n: n >= reached and n + len(w) <= end and wanted[n:n + len(w)] == w
        follows = stands(reached) and at - before <= 12
        leads = after[at] is not None and after[at] - at <= 12 and stands(end - len(w))
        if follows or leads:
            is_text[at], before, reached = True, at, (reached if follows else end - len(w)) + len(w)
    return is_text


def squeeze(text):
    return " ".join(text.split())


def segment_labels(lines, kept, gold):
    """1 and 0 for lines that hold a string, -1 for the others."""
    flat, found = [squeeze(line) for line in lines], [-1] * len(lines)
    for text in map(squeeze, gold["with"]):
        holds = [at for at, line in enumerate(flat) if text in line]
        holds = [at for at in holds if kept[at]] or holds
        if len(holds) == 1:
            found[holds[0]] = 1
    for text in map(squeeze, gold["without"]):
        for at, line in enumerate(flat):
            if text in line and found[at] != 1:
                found[at] = 0
    return found


def host(url):
    parts = (urlparse(url).hostname or url).split(".")
    return ".".join(parts[-3:] if len(parts) > 2 and len(parts[-1]) == 2 and len(parts[-2]) <= 3 else parts[-2:])


def read(data):
    pages, names = [], []
    for name in SETS:
        gold = json.load(open(f"{data}/{name}.gold.json", encoding="utf-8"))
        if name == "segments":
            gold = {row["file"]: row for row in gold.values()}
        urls = {}
        for line in open(f"{data}/{name}.inputs.jsonl", encoding="utf-8"):
            given = json.loads(line)
            urls[given["id"]] = given.get("url") or given["id"]
        rows = open(f"{data}/{name}.lines.jsonl", encoding="utf-8")
        names = json.loads(next(rows))
        kept_at = names.index("kept")
        for row in map(json.loads, rows):
            if row["id"] not in gold or not row["lines"]:
                continue
            texts, limit, numbers, words, named, place = map(list, zip(*row["lines"]))
            kept = [n[kept_at] == 2 for n in numbers]
            page = dict(set=name, id=row["id"], host=host(urls[row["id"]]), texts=texts, limit=limit, numbers=numbers,
                        words=words, named=named, kept=kept, place=place, gold=gold[row["id"]])
            if name == "segments":
                page["label"] = segment_labels(texts, kept, page["gold"])
            else:
                page["label"] = labels(texts, page["gold"].get("articleBody") or "")
            pages.append(page)
    return names, pages


def score(pages, keep):
    sums = defaultdict(list)
    for page, kept in zip(pages, keep):
        text = "\n".join(t for t, k in zip(page["texts"], kept) if k)
        if page["set"] == "segments":
            flat = squeeze(text)
            found = sum(squeeze(s) in flat for s in page["gold"]["with"])
            sums["segments"].append((found, len(page["gold"]["with"]) - found,
                                     sum(squeeze(s) in flat for s in page["gold"]["without"])))
        else:
            if "wanted" not in page:
                page["wanted"] = WORD.findall(page["gold"].get("articleBody") or "")
                page["bag"] = bag(page["wanted"])
            words = WORD.findall(text)
            given = bag(words)
            hit, size, wanted = sum((given & page["bag"]).values()), sum(given.values()), sum(page["bag"].values())
            sums[page["set"]].append((hit / size if size else None, hit / wanted if wanted else None,
                                      words == page["wanted"]))
    figures = {}
    for name, rows in sums.items():
        columns = [[v for v in column if v is not None] for column in zip(*rows)]
        if name == "segments":
            found, lost, leaked = map(sum, columns)
            precision, recall, exact = found / (found + leaked), found / (found + lost), 0
        else:
            precision, recall, exact = (sum(c) / len(c) for c in columns)
        figures[name] = (2 * precision * recall / (precision + recall), precision, recall, exact)
    return figures


def show(title, figures):
    cells = [f"{name[:5]} {f:.4f} p{p:.4f} r{r:.4f} x{x:.3f}" for name, (f, p, r, x) in figures.items()]
    print(f"{title:22}", " | ".join(cells), flush=True)


def vocabulary(pages, kind, hosts_needed):
    """Tokens of so many hosts; none that is the name of one."""
    own_names = {label.replace("-", "") for page in pages for label in page["host"].split(".")[:1]}
    parts = lambda token: re.split(r"[^\w]+", token if kind == "words" else token[2:])
    hosts = defaultdict(set)
    for page in pages:
        for token in set().union(*map(set, page[kind])):
            hosts[token].add(page["host"])
    wanted = (t for t, h in hosts.items() if len(h) >= hosts_needed and own_names.isdisjoint(parts(t)))
    return {t: n for n, t in enumerate(sorted(wanted))}


def matrix(pages, kind, vocabulary, rooted):
    rows, columns, values, at = [], [], [], 0
    for page in pages:
        for tokens in page[kind]:
            known = [vocabulary[t] for t in tokens if t in vocabulary]
            rows += [at] * len(known)
            columns += known
            values += [1 / max(1, len(tokens)) ** 0.5 if rooted else 0.2] * len(known)
            at += 1
    return csr_matrix((values, (rows, columns)), shape=(at, len(vocabulary)), dtype=np.float32)


class Data:
    def __init__(self, names, pages):
        self.names, self.pages = names, pages
        join = lambda key: np.array([v for p in pages for v in p[key]])
        self.numbers = np.array([n for p in pages for n in p["numbers"]], dtype=np.float32)
        self.label, self.kept = join("label"), join("kept")
        # What has no limit is left as the rules left it.
        self.limit = np.array([np.nan if v is None else v for p in pages for v in p["limit"]], dtype=np.float32)
        self.page = np.repeat(np.arange(len(pages)), [len(p["label"]) for p in pages])
        self.start = np.concatenate([[0], np.cumsum([len(p["label"]) for p in pages])])
        size = np.array([len(WORD.findall(t)) for p in pages for t in p["texts"]], dtype=np.float32)
        self.weight = np.zeros(len(self.label), np.float32)
        for n, page in enumerate(pages):
            at = slice(self.start[n], self.start[n + 1])
            words = max(1.0, float((size[at] * (self.label[at] == 1)).sum()))
            by_size = np.minimum(size[at] / words, 0.5) * 10 + 0.06
            self.weight[at] = (0.3 if page["set"] == "segments" else by_size) * SETS[page["set"]]
        # Few lines of a page of segments are labelled: for the trees they count the more.
        rare = np.repeat([5.0 if p["set"] == "segments" else 1.0 for p in pages], np.diff(self.start))
        self.rare = self.weight * rare.astype(np.float32)
        self.words, self.named = vocabulary(pages, "words", 12), vocabulary(pages, "named", 8)
        self.said = matrix(pages, "words", self.words, True)
        self.around = matrix(pages, "named", self.named, False)

    def linear(self, rows):
        """Weights of words and names."""
        both = hstack([self.said, self.around]).tocsr()[rows]
        weight = 0.1 + self.weight[rows]
        model = LogisticRegression(C=1.0, max_iter=60)
        model.fit(both, self.label[rows], sample_weight=weight / weight.mean())
        said, named = np.split(model.coef_[0], [len(self.words)])
        said, named = np.round(said, 2), np.round(named * 0.2, 3)
        return np.where(np.abs(said) < 0.1, 0, said), np.where(np.abs(named) < 0.02, 0, named)

    def fill(self, said, named):
        """Puts the two scores of each line, of its neighbours and its heading, into the numbers."""
        ask = self.names.index
        for column, value in (("said", said), ("named", named)):
            self.numbers[:, ask(column)] = value
            for step in (-2, -1, 1, 2):
                there = np.arange(len(value)) + step
                inside = (there >= self.start[self.page]) & (there < self.start[self.page + 1])
                at = ask(f"{column}{step:+d}")
                self.numbers[:, at] = np.where(inside, value[np.clip(there, 0, len(value) - 1)], -1)
        ago = self.numbers[:, ask("heading_ago")]
        heading = np.arange(len(said)) - ago.astype(int)
        self.numbers[:, ask("heading_said")] = np.where(ago < 99, said[np.clip(heading, 0, None)], 0)

    def scores(self, weights, rows):
        said, named = weights
        return self.said[rows] @ said, self.around[rows] @ (named / 0.2)

    def trees(self, rows, rounds):
        rows = rows & ~np.isnan(self.limit)
        given = lightgbm.Dataset(self.numbers[rows], self.label[rows], weight=self.rare[rows],
                                 feature_name=[f"n{n}" for n in range(len(self.names))])
        return lightgbm.train(TREES, given, rounds)

    def corrected(self, likely, more=0.0):
        """By page, which lines are kept, if all limits are raised by `more`."""
        keep = np.where(np.isnan(self.limit), self.kept, likely > self.limit + more)
        return [keep[a:b] for a, b in zip(self.start, self.start[1:])]


def write(path, data, weights, model):
    said, named = weights
    with open(path, "w", encoding="utf-8") as out:
        print("# Made by tests/blocks/train.py. word: a word or pair of words of the text, its weight; name: how far up (0 to",
              "# 3) and a name in tag or class, its weight; tree, ask (a number, its limit: below it the next row), give.",
              sep="\n", file=out)
        for kind, vocabulary, values in (("word", data.words, said), ("name", data.named, named)):
            for token, at in vocabulary.items():
                if values[at]:
                    print(kind, token, f"{values[at]:.3g}", sep="\t", file=out)
        for tree in model.dump_model()["tree_info"]:
            print("tree", file=out)
            ask(tree["tree_structure"], data.names, out)


def ask(node, names, out):
    if "leaf_value" in node:
        return print("give", f"{node['leaf_value']:.4g}", sep="\t", file=out)
    print("ask", names[node["split_feature"]], f"{node['threshold']:.7g}", sep="\t", file=out)
    ask(node["left_child"], names, out)
    ask(node["right_child"], names, out)


def main():
    cli = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    cli.add_argument("data")
    cli.add_argument("--write")
    cli.add_argument("--folds", type=int, default=4)
    cli.add_argument("--rounds", type=int, default=150)
    cli.add_argument("--keep", help="where to keep the likelihoods")
    given = cli.parse_args()
    names, pages = read(given.data)
    data = Data(names, pages)
    show("rules", score(pages, [p["kept"] for p in pages]))
    labelled = data.label >= 0
    hosts = sorted({p["host"] for p in pages})
    random.Random(1).shuffle(hosts)
    fold = {h: n % given.folds for n, h in enumerate(hosts)}
    folds = np.array([fold[p["host"]] for p in pages])[data.page]
    said, named = np.zeros(len(folds), np.float32), np.zeros(len(folds), np.float32)
    for n in range(given.folds):
        test = folds == n
        said[test], named[test] = data.scores(data.linear(labelled & ~test), test)
    data.fill(said, named)
    if given.write:
        # The trees learn from scores of pages that the words were not learned from, as they will meet them.
        write(given.write, data, data.linear(labelled), data.trees(labelled, given.rounds))
    likely = np.zeros(len(folds))
    for n in range(given.folds):
        likely[folds == n] = data.trees(labelled & (folds != n), given.rounds).predict(data.numbers[folds == n])
    for more in (-0.1, -0.05, 0.0, 0.05, 0.1):
        show(f"cross-validated {more:+}", score(pages, data.corrected(likely, more)))
    if given.keep:
        np.save(given.keep, likely)


if __name__ == "__main__":
    sys.exit(main())
