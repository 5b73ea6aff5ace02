#!/usr/bin/env python3
"""Where the weights of src/select/phrases.tsv come from.   tests/weights.py [--write] [SHARED]      (needs numpy and scipy)

A row of the table has phrases, what its author expects them to weigh (title, lead, body; in the column `expected`), and
what they do weigh. The weights are those of a logistic model of the score (sure at 1 ± .5), fitted to labelled texts and
held near what is expected: each square of a difference costs HOLD. No weight changes its sign, and what is expected to be
nothing stays nothing. The texts: data/topic/train.jsonl of SHARED (by default ../shared; decided ones), general news
(data/dedup, as not about it, at less weight), and the rows of tests/topic.tsv.

Prints how well the present weights do, what ten-fold cross-validation of the fit gives at the fixed threshold of 1 (the
rows of topic.tsv are in every training part and in no tested one), and how the fit does on what it was fitted to.
`--write` puts the fitted weights into the table. Cutting into syllables is done anew here; `cargo test` and
../shared/eval/eval-select judge the table with the program itself."""
import json, math, os, re, subprocess, sys, unicodedata

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = f'{HERE}/../src/select/phrases.tsv'
SHARED = next((a for a in sys.argv[1:] if not a.startswith('-')), f'{HERE}/../../shared')
DATA = f'{SHARED}/data'
HOLD, SURE, NEWS, OWN, LARGEST = 12.0, 4.0, 0.3, 0.5, 2.5
TONES = '\u0300\u0301\u0303\u0309\u0323'


def syllable(word):
    """The tone of a final oa, oe, uy on its first vowel; quí as quý."""
    apart = unicodedata.normalize('NFD', word)
    tones = [c for c in apart if c in TONES]
    if len(tones) != 1:
        return word
    bare = unicodedata.normalize('NFC', ''.join(c for c in apart if c not in TONES))
    if bare in ('qui', 'quy'):
        return unicodedata.normalize('NFC', 'quy' + tones[0])
    if bare.endswith(('oa', 'oe', 'uy')) and not bare.startswith('qu'):
        return unicodedata.normalize('NFC', bare[:-1] + tones[0] + bare[-1])
    return word


def tokens(text):
    text = unicodedata.normalize('NFC', text).lower().replace('ð', 'đ')
    marks = re.finditer(r'([^\W_]+)|([,;:!?…]|\.(?=\W|$))', text)
    return [syllable(m[1]) if m[1] else ',' if m[2] == ',' else '|' for m in marks]


def spelled_out(pattern):
    found = re.search(r'\(([^)]*)\)|\[([^\]]*)\]', pattern)
    if not found:
        return [pattern]
    choices = found[1].split('|') if found[1] is not None else found[2].split('|') + ['']
    return [p for c in choices for p in spelled_out(pattern[:found.start()] + c + pattern[found.end():])]


class Table:
    def __init__(self):
        self.lines = open(TABLE, encoding='utf-8').read().split('\n')
        self.rows = [(n, l.split('\t')) for n, l in enumerate(self.lines) if n and l and l[0] != '#']
        self.trie = {}
        for row, (_, columns) in enumerate(self.rows):
            for phrase in spelled_out(columns[3]):
                halves = phrase.split('…')
                for part, half in enumerate(halves):
                    self.add(tokens(half), (row, 'whole' if len(halves) == 1 else part))

    def add(self, phrase, use):
        node = self.trie
        for token in phrase:
            node = node.setdefault(token, {})
        node.setdefault(None, set()).add(use)

    def numbers(self, column):
        return [float(x) for _, c in self.rows for x in (c[:3] if column is None else c[column].split())]

    def found(self, text):
        whole, first, second = [], [], {}
        for start in range(len(text)):
            node, end = self.trie.get(text[start]), start + 1
            while node:
                for row, half in node.get(None, ()):
                    if half == 'whole':
                        whole.append((start, end, row))
                    elif half == 0:
                        first.append((start, end, row))
                    else:
                        second.setdefault(row, []).append((start, end))
                node, end = (node.get(text[end]), end + 1) if end < len(text) else (None, end)
        for start, end, row in first:
            after = next((s for s in second.get(row, []) if s[0] >= end), None)
            if after and after[0] - end <= 14 and '|' not in text[end:after[0]]:
                whole.append((start, after[1], row))
        return sorted(whole, key=lambda f: (f[0], -f[1], f[2]))

    def evidence(self, title, paragraphs):
        """{(row, place): log2(1 + how often), less in a long body}"""
        text = tokens(title) + ['|']
        place, count = [0] * len(text), 0
        for at, paragraph in enumerate(paragraphs):
            here = tokens(paragraph) + ['|']
            word = 0
            for token in here:
                word += token not in ',|'
                place.append(1 if at == 0 and word <= 120 else 2)
            text += here
            count += word
        times, reached = {}, 0
        for start, end, row in self.found(text):
            if end > reached:
                times[row, place[start]] = times.get((row, place[start]), 0) + 1
            reached = max(reached, end)
        long = min(1, math.sqrt(400 / max(1, count)))
        return {3 * row + place: math.log2(1 + n) * (long if place == 2 else 1) for (row, place), n in times.items()}


def texts():
    """(label, weight, title, paragraphs, kind)"""
    train = [json.loads(l) for l in open(f'{DATA}/topic/train.jsonl', encoding='utf-8')]
    lines = lambda text: [p for p in text.split('\n') if p.strip()]
    for t in train:
        if t['label'] != 'b':
            yield t['label'] == '1', 1.0, t['title'], lines(t['text']), 'train'
    known = {t['id'] for t in train}
    gold = map(json.loads, open(f'{DATA}/dedup/dev-gold.jsonl', encoding='utf-8'))
    news = {g['id'] for g in gold if g['kind'] == 'base' and g['base'].startswith('V:') and g['base'] not in known}
    unpacked = subprocess.run(['zstd', '-dc', f'{DATA}/dedup/dev-docs.jsonl.zst'], stdout=subprocess.PIPE, check=True)
    for d in map(json.loads, unpacked.stdout.decode().splitlines()):
        if d['id'] in news:
            title, _, body = d['text'].partition('\n')
            yield False, NEWS, d.get('title') or title, lines(body or title), 'news'
    for line in open(f'{HERE}/topic.tsv', encoding='utf-8'):
        if line.strip() and not line.startswith('#'):
            title, text, selected, _ = line.split('\t')
            yield selected == 'yes', OWN, title, text.split(' / '), 'own'


def main():
    if not os.path.exists(f'{DATA}/topic/train.jsonl'):
        sys.exit(f'tests/weights.py: the labelled texts are not here ({DATA}/topic/train.jsonl): the weights in '
                 'src/select/phrases.tsv stay as they are')
    import numpy as np
    from scipy.optimize import minimize

    table = Table()
    all_texts = list(texts())
    labels = np.array([t[0] for t in all_texts], float)
    cost = np.array([t[1] for t in all_texts])
    kind = np.array([t[4] for t in all_texts])
    found = np.zeros((len(all_texts), 3 * len(table.rows)))
    for n, (_, _, title, paragraphs, _) in enumerate(all_texts):
        for place, much in table.evidence(title, paragraphs).items():
            found[n, place] = much
    present, expected = np.array(table.numbers(None)), np.array(table.numbers(5))
    support = np.array([c[4] == 'support' for _, c in table.rows]).repeat(3)
    bounds = [(0, LARGEST) if e > 0 else (-LARGEST, 0) if e < 0 else (0, 0) for e in expected]
    proof, aid = found[:, ~support], found[:, support]

    def scores(weights, of=slice(None)):
        each = proof[of] * weights[~support]
        return each.sum(1) + np.minimum(aid[of] @ weights[support], np.maximum(each, 0).sum(1))

    def fit(of):
        of = of[(found[of] != 0).any(1)]
        a, b, y, c = proof[of], aid[of], labels[of], cost[of]

        def loss(w):
            each = a * w[~support]
            held = np.maximum(each, 0).sum(1)
            helps = b @ w[support]
            over = helps > held
            z = SURE * (each.sum(1) + np.where(over, held, helps) - 1)
            off = c * SURE * (1 / (1 + np.exp(-np.clip(z, -30, 30))) - y)
            slope = 2 * HOLD * (w - expected)
            slope[~support] += a.T @ off + (a * (each > 0)).T @ (off * over)
            slope[support] += b.T @ (off * ~over)
            return (c * (np.logaddexp(0, z) - y * z)).sum() + HOLD * ((w - expected) ** 2).sum(), slope
        start = np.clip(expected, [b[0] for b in bounds], [b[1] for b in bounds])
        return minimize(loss, start, jac=True, method='L-BFGS-B', bounds=bounds, options={'maxiter': 300}).x

    def say(name, score):
        of, kept = kind == 'train', score >= 1
        y, s, k = labels[of] == 1, score[of], kept[of]
        hit, wrong = (y & k).sum(), (~y & k).sum()
        order = y[np.argsort(-s, kind='stable')]
        ap = (order * np.cumsum(order) / np.arange(1, len(order) + 1)).sum() / y.sum()
        print(f'{name:32} precision {hit / max(1, hit + wrong):.3f}  recall {hit / y.sum():.3f}  '
              f'F1 {2 * hit / (hit + wrong + y.sum()):.3f}  AP {ap:.3f}  general news kept '
              f'{kept[kind == "news"].sum()}/{(kind == "news").sum()}  own rows wrong '
              f'{(kept != (labels == 1))[kind == "own"].sum()}/{(kind == "own").sum()}')

    def crossed(seed):
        parts = np.random.RandomState(seed)
        fold = np.full(len(labels), -1)
        for group in ((kind == 'train') & (labels == 1), (kind == 'train') & (labels == 0), kind == 'news'):
            members = parts.permutation(np.where(group)[0])
            fold[members] = np.arange(len(members)) % 10
        out = np.zeros(len(labels))
        for k in range(10):
            weights = fit(np.where(fold != k)[0])
            out[fold == k] = scores(weights, fold == k)
        out[fold == -1] = scores(weights, fold == -1)
        return out

    say('the table as it is', scores(present))
    say('as expected, nothing fitted', scores(expected))
    for seed in (1, 2, 3):
        say(f'ten-fold cross-validation {seed}', crossed(seed))
    weights = np.round(fit(np.arange(len(labels))), 2)
    say('fitted to all', scores(weights))
    if '--write' in sys.argv:
        for at, (n, columns) in enumerate(table.rows):
            columns[:3] = [f'{w:.2f}' if w else '0' for w in weights[3 * at:3 * at + 3]]
            table.lines[n] = '\t'.join(columns)
        open(TABLE, 'w', encoding='utf-8').write('\n'.join(table.lines))


main()
