#!/usr/bin/env python3
"""Checks certificates of geoflow with the standard library alone: `check_certificate.py FILE`.

A claim: near a generic point, z' = F0(z) + G_b(z) has between `lower` and `upper` independent
functions h with F0 h = 0 and G_b h = 0 for all b. Confirmed are the digests; upper = N - r, by r
nested brackets of fields c F0 + G_b with a nonzero minor at a point mod p; lower, by identities of
polynomials and a nonzero minor of gradients, or N - 1 for a single field (Frobenius). Exit codes: 0
every claim is confirmed, 1 one is refused, 2 some part is beyond this checker, or no file is read.
"""

import json
import sys
from fractions import Fraction
from functools import cache
from hashlib import sha256
from math import isqrt, lcm, prod

WIDTH, MASK = 32, 2**32 - 1  # of one exponent in a monomial packed into an integer
LARGEST, STEPS, left = 2**24, 3 * 10**8, [0]  # bytes of a file; products of words of 64 bits


def need(condition, message):
    if not condition:
        raise ValueError(message)


def spend(steps):
    left[0] -= steps
    need(left[0] >= 0, f"it takes more than {STEPS} steps")


def numbers(data, count, below):
    good = all(type(x) is int and 0 <= x < below for x in data)
    need(isinstance(data, list) and good and len(data) == count, "a list of numbers out of range")
    return data


def add(a, b):  # polynomials over Z: {packed exponents: coefficient}
    total = dict(a)
    for m, c in b.items():
        total[m] = total.get(m, 0) + c
    return {m: c for m, c in total.items() if c}


def mul(a, b):
    words = [[m.bit_length() + c.bit_length() + 128 for m, c in p.items()] for p in (a, b)]
    spend(sum(words[0]) * sum(words[1]) // 64**2)
    total = {}
    for m, c in a.items():
        for n, d in b.items():
            total[m + n] = total.get(m + n, 0) + c * d
    return {m: c for m, c in total.items() if c}


def partial(p, v):
    unit = 1 << WIDTH * v
    return {m - unit: c * e for m, c in p.items() if (e := m >> WIDTH * v & MASK)}


def slope(f, v):  # the derivative of a fraction by a variable
    minus = {m: -c for m, c in mul(f[0], partial(f[1], v)).items()}
    return add(mul(partial(f[0], v), f[1]), minus), mul(f[1], f[1])


def times(f, g):
    return mul(f[0], g[0]), mul(f[1], g[1])


def collect(fractions):  # functions are sums of (numerator, denominator); here by denominators
    found = {}
    for top, below in fractions:
        own = found.setdefault(frozenset(below.items()), [{}, below])
        own[0] = add(own[0], top)
    return [f for f in found.values() if f[0]]


def vanishes(fractions):
    groups, total = collect(fractions), {}
    for k, (top, _) in enumerate(groups):
        for _, below in groups[:k] + groups[k + 1 :]:
            top = mul(top, below)
        total = add(total, top)
    return not total


def read(data, count):  # a fraction in `count` variables; terms are [coefficient, [v, e], ...]
    parts, scale = [{0: Fraction(1)}, {0: Fraction(1)}], 1
    for k, polynomial in enumerate(data):
        parts[k] = found = {}
        for text, *powers in polynomial:
            good = all(type(x) is int for q in powers for x in q) and len(text) < 2000
            good = good and all(0 <= v < count and 0 < e < 1000 for v, e in powers)
            key = good and sum(e << WIDTH * v for v, e in once(powers).items())
            need(good and key not in found and not text.strip("-/0123456789"), "a monomial")
            found[key], scale = Fraction(text), lcm(scale, Fraction(text).denominator)
            spend(count + len(found) * scale.bit_length() // 64)
    need(1 <= len(data) <= 2 and all(parts[1].values()) and parts[1], "a fraction")
    return tuple({m: int(c * scale) for m, c in part.items() if c} for part in parts)


def product(a, b, p):  # of numbers with k nilpotents (e^2 = 0): 2^k residues, one for each product
    spend(len(a) * len(b))
    out = [0] * max(len(a), len(b))
    for i, x in enumerate(a):
        for j, y in enumerate(b) if x else ():
            if y and not i & j:
                out[i | j] += x * y
    return [x % p for x in out]


@cache
def factors(m):  # the variables of a monomial with exponents
    return [(v, e) for v in range(m.bit_length() // WIDTH + 1) if (e := m >> WIDTH * v & MASK)]


def at(polynomial, z, p, size):  # the value at numbers z, by variable
    out = [0] * size
    for monomial, c in polynomial.items():
        x = [c % p]
        for v in (v for v, e in factors(monomial) for _ in range(e)):
            x = product(x, z[v], p)
        out[: len(x)] = [(s + y) % p for s, y in zip(out, x)]
    return out


def total_at(fractions, z, p, size):
    out = [0] * size
    for top, below in fractions:
        d = at(below, z, p, size)
        need(d[0], "a denominator vanishes at the point")
        y = [pow(d[0], -1, p)]
        while len(y) < size:  # Newton, with one nilpotent more
            y = y + [0] * len(y)
            rest = [-w % p for w in product(d[: len(y)], y, p)]
            y = product(y, [rest[0] + 2, *rest[1:]], p)
        out = [(s + w) % p for s, w in zip(out, product(at(top, z, p, size), y, p))]
    return out


def minor(rows, data, p):  # refuses unless some columns' determinant is what is stated, not 0
    columns = numbers(data["columns"], len(rows), len(rows[0]) if rows else 1)
    rows, total = [[row[k] for k in columns] for row in rows], 1
    for k in range(len(rows)):
        pivot = next((i for i in range(k, len(rows)) if rows[i][k]), None)
        need(pivot is not None, "a minor is 0")
        rows[k], rows[pivot], total = rows[pivot], rows[k], total * (-1) ** (pivot != k)
        spend(len(rows) ** 2)
        total, scale = total * rows[k][k] % p, pow(rows[k][k], -1, p)
        for i in range(k + 1, len(rows)):
            if f := rows[i][k] * scale % p:
                rows[i] = [(x - f * y) % p for x, y in zip(rows[i], rows[k])]
    need(total % p == data["determinant"], "a minor is not what is stated")


class Model:  # the fields F0 and G_b by coordinate; variables: constants, state, then controls
    def __init__(self, data):
        names = [*data["constants"], *data["state"], *(name for name, _ in data["controls"])]
        need(all(type(n) is str for n in names) and len(set(names)) == len(names) < 5000, "names")
        self.kinds, self.rows = [kind for _, kind in data["controls"]], data["rows"]
        self.first, self.size = len(data["constants"]), len(data["state"])
        self.b, self.end = self.first + self.size, len(names)
        choices = [k for k, kind in enumerate(self.kinds) if kind in ("choice", "onehot")]
        need(self.size and set(self.kinds) <= {"free", "gate", "choice", "onehot"}, "the kinds")
        need(sorted(k for row in self.rows for k in row) == choices, "rows of choices")
        self.drift = self.components(data["drift"], self.b)
        need((data["map"] is None) != (data["fields"] is None), "a map or fields are wanted")
        if data["map"] is None:
            self.controlled = self.components(data["fields"], self.end)
            return
        outputs = [read(f, self.end) for f in data["map"]["outputs"]]
        cotangents = [read(f, self.end) for f in data["map"]["cotangents"]]
        need(len(outputs) == len(cotangents) and all(map(self.linear, cotangents)), "a cotangent")
        self.controlled = [[] for _ in range(self.size)]
        for k, i, f in data["map"]["directions"]:  # G_b = sum of direction * d<a(b), phi>/dz_i
            numbers([k, i], 2, self.size)
            pairs = (times(a, slope(y, self.first + i)) for a, y in zip(cotangents, outputs))
            self.controlled[k] += [times(read(f, self.b), g) for g in collect(pairs)]
        self.controlled = [collect(terms) for terms in self.controlled]

    def components(self, data, count):
        numbers([k for k, _ in data], len(data), self.size)
        return [[read(f, count) for i, f in data if i == k] for k in range(self.size)]

    def linear(self, f):  # every term holds exactly one control, once
        degrees = [{sum(e for v, e in factors(m) if v >= self.b) for m in p} for p in f]
        return degrees[0] <= {1} and degrees[1] == {0}

    def word(self, letters, z, p):  # [X1, [X2, ... Y]] at z, by Y(z + e X) = Y + e DY X
        def field(letter, x, size):
            weight, *b = letter
            full = z[: self.first] + x + [[y] for y in b]
            f, g = ([total_at(t, full, p, size) for t in x] for x in (self.drift, self.controlled))
            return [[(weight * s + y) % p for s, y in zip(*pair)] for pair in zip(f, g)]

        def nested(k, x, size):
            own = field(letters[k], x, size)
            if k == len(letters) - 1:
                return own
            inner = nested(k + 1, [s + y for s, y in zip(x, own)], 2 * size)
            along = field(letters[k], [s + y[:size] for s, y in zip(x, inner)], 2 * size)
            pairs = [(a[size:], b[size:]) for a, b in zip(inner, along)]
            return [[(s - y) % p for s, y in zip(*pair)] for pair in pairs]

        return [x[0] for x in nested(0, z[self.first : self.b], 1)]


def digest(data):
    return sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def upper_bound(model, data, z, p):  # N - r, for r independent brackets
    for letters in data["words"]:
        need(0 < len(letters) <= 16, "the length of a word")
        for letter in letters:
            _, *b = numbers(letter, 1 + len(model.kinds), p)
            gates = all(x < 2 for x, kind in zip(b, model.kinds) if kind != "free")
            need(gates and all(sum(b[k] for k in row) == 1 for row in model.rows), "a gate")
    minor([model.word(letters, z, p) for letters in data["words"]], data, p)
    return model.size - len(data["words"])


def lower_bound(model, data, z, p):
    """The number of conserved, independent exp(integral of rate dt) * (value + sum of c log q)."""
    rows, time, state = [], data["time"], range(model.first, model.b)
    for law in data["laws"]:
        value, rate = read(law["value"], model.b), read(law["rate"], model.b)
        logs = [(read(c, model.first), read(q, model.b)) for c, q in law["logs"]]
        timely = all(v < model.first or v == time for p in rate for m in p for v, _ in factors(m))
        need(not rate[0] or (timely and time in state and not logs), "the rate of a law")
        gradient = []
        for v in state:
            terms = [times(c, times(slope(q, v), q[::-1])) for c, q in logs]
            terms += [times(rate, value)] if v == time else []
            gradient.append(collect([slope(value, v), *terms]))
        for field in (model.drift, model.controlled):
            pairs = zip(gradient, field)
            need(vanishes([times(g, x) for gs, xs in pairs for g in gs for x in xs]), "no law")
        rows.append([total_at(f, z, p, 1)[0] for f in gradient])
    minor(rows, data, p)
    if data["single"] is False:
        return len(rows)
    alone = not any(model.drift) and all(model.linear(f) for own in model.controlled for f in own)
    need(alone and data["single"] is True and model.kinds == ["free"], "the fields are several")
    return model.size - 1  # by Frobenius


def check(data):  # refuses a certificate, or says what of its claim is not confirmed
    left[0] = STEPS
    need(digest({k: x for k, x in data.items() if k != "digest"}) == data["digest"], "the digest")
    need((data["format"], data["version"]) == ("geoflow certificate", 1), "the format")
    claim, place, missing = data["claim"], data["place"], list(data["not_checked"])
    need(digest(data["model"]) == claim["model"], "the claim is of another model")
    need(" ".join(sorted(claim)) == "dimension lower model of rank status upper", "the claim")
    if data["model"] is None:
        return claim, [*missing, "the model is not written out"]
    model, p = Model(data["model"]), place["prime"]
    prime = type(p) is int and 2 < p < 2**32 and all(p % q for q in range(2, isqrt(p) + 1))
    need(prime, "the prime is none, or out of range")
    z = numbers(place["constants"], model.first, p) + numbers(place["point"], model.size, p)
    most = upper_bound(model, data["upper"], [[x] for x in z], p)
    least = lower_bound(model, data["lower"], [[x] for x in z], p)
    of = "flow" if set(model.kinds) <= {"free", "onehot"} else "path-lifting"
    said = numbers([claim[k] for k in ("lower", "upper", "dimension", "rank")], 4, model.size + 1)
    need([*said[1:], claim["of"]] == [most, model.size, model.size - most, of], "the upper bound")
    need(least == said[0] or (missing and least < said[0] <= most), "the lower bound")
    if bound := data["bound"]:  # of the probability that the rank is greater
        odds = [Fraction((claim["rank"] + 1) * bound["degree"], q - 1) for q in bound["primes"]]
        odds = str(prod(min(Fraction(1), x) for x in odds))
        need(bound["error_bound"] in (None, odds), "the error bound")
    status = "proved" if said[0] == most else "probable" if bound else "bounded"
    need(claim["status"] == status, "the status")
    return claim, missing + ["that no more words are independent"] * (status == "probable")


def once(pairs):
    need(len(dict(pairs)) == len(pairs), "something stands twice")
    return dict(pairs)


def main():
    try:
        with open((sys.argv[1:] or [""])[0], "rb") as file:
            need(len(text := file.read(LARGEST + 1)) <= LARGEST, f"more than {LARGEST} bytes")
        need(found := json.loads(text, object_pairs_hook=once)["certificates"], "it is empty")
        code = 0
        for data in found:
            claim, missing = check(data)
            print(", ".join(f"{k} {v!a}" for k, v in claim.items()))
            print(f"  not checked: {'; '.join(missing)!a}" if missing else "  confirmed")
            code = 2 if missing else code
        return code
    except OSError as error:
        return print(f"usage: check_certificate.py FILE ({error!a})") or 2
    except Exception as error:
        return print(f"refused: {error!a}") or 1


if __name__ == "__main__":
    sys.exit(main())
