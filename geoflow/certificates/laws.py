"""Laws of a certificate: exp(∫λ dt)·(value + Σ c·log q), each part a rational function in constants and state.

Entries of proved laws are taken apart into this form; what has none (two exponentials in one entry, say) is left out,
and the certificate then says so. Gradients without the exponential factor are rational functions, so that their rank
at a point over F_p is a proved number of independent laws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.certificates.functions import derivative, only_of, parts, residue, variables, written
from geoflow.exact.interpreter import UnluckyPoint, run
from geoflow.exact.polynomials import Polynomials
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.exact.quotient import Effort, Quotient, TooLarge, simple
from geoflow.expr.evaluate import evaluate, rationals
from geoflow.expr.tree import Apply, walk
from geoflow.flow import Flow
from geoflow.laws.law import Law
from geoflow.laws.tokens import (
    Tokens,
    UnsupportedExponential,
    environment,
    exponential_tokens,
    with_logarithms,
)
from geoflow.lie.bracket import exact_constants
from geoflow.parametrization import TIME

_PRODUCTS = 2e7
_TERMS = 20_000


@dataclass(frozen=True)
class WrittenLaw:
    """One entry of a law. Variables of the ring: symbolic constants, state, tokens (which occur in none of these)."""

    value: Any
    rate: Any
    logs: tuple[tuple[Any, Any], ...]

    @property
    def section(self) -> dict[str, Any]:
        """As the certificate has it."""
        logs = [[written(c), written(q)] for c, q in self.logs]
        return {"value": written(self.value), "rate": written(self.rate), "logs": logs}

    def gradient(self, state: Sequence[int], time: int | None) -> list[Any]:
        """By coordinate, without the exponential factor."""
        found = []
        for v in state:
            total = derivative(self.value, v)
            for c, q in self.logs:
                top, below = parts(q)
                moved = derivative(q, v)
                total = total + c * moved * Quotient(below, top)
            found.append(total + self.rate * self.value if v == time else total)
        return found

    def gradient_at(
        self, state: Sequence[int], time: int | None, place: Sequence[int], prime: int
    ) -> list[int]:
        """The gradient at a point over F_p.

        Raises:
            ZeroDivisionError: a denominator vanishes there.
        """
        width = len(self.value.context().gens()) if not isinstance(self.value, Quotient) else 0
        padded = [*place, *[0] * max(0, width - len(place))]
        return [residue(f, padded, prime) for f in self.gradient(state, time)]


def time_variable(flow: Flow) -> int | None:
    """The position of t, where it is in the state."""
    position = len(flow.symbolic_constants)
    for b in flow.state:
        if b.name == TIME and b.kind == "time":
            return position
        position += b.size
    return None


def write_laws(flow: Flow, laws: Sequence[Law]) -> Iterator[WrittenLaw]:
    """The entries of laws that have the form of certificates."""
    for law in laws:
        try:
            yield from _entries(flow, law)
        except (UnsupportedExponential, UnsupportedPrimitive, UnluckyPoint, TooLarge):
            continue


def _entries(flow: Flow, law: Law) -> Iterator[WrittenLaw]:
    roots = (law.expression,)
    named = {n: v for n, v in law.flow.constants.items() if n not in flow.constants}
    if any(v is None for v in named.values()):
        return
    constants: dict[str, Fraction | None] = {**flow.constants, **named, **rationals(roots)}
    tokens = exponential_tokens(flow, roots, constants)
    constants |= rationals(tokens.exponents)
    if any(isinstance(n, Apply) and n.operation == "log" for n in walk(*roots)):
        tokens = with_logarithms(tokens, roots)
    form = _Form.of(flow, tokens, constants)
    (values,) = form.run(lambda c, z, t: evaluate(roots, environment(c, z, tokens.replaced(t))))
    exponents = form.run(lambda c, z, t: evaluate(tokens.exponents, environment(c, z)))
    arguments = form.run(lambda c, z, t: evaluate(tokens.arguments, environment(c, z)))
    taken = [q for a in arguments for q in a]
    for value in values:
        found = form.taken_apart(value, [e for own in exponents for e in own], taken)
        if found is not None:
            yield found


@dataclass(frozen=True)
class _Form:
    """A ring with variables for constants, state and tokens."""

    ring: Polynomials
    constants: Mapping[str, np.ndarray]
    point: Mapping[str, np.ndarray]
    tokens: tuple[np.ndarray, ...]
    symbols: int  # symbolic constants
    state: int  # the first token
    exponentials: int
    time: int | None

    @staticmethod
    def of(flow: Flow, tokens: Tokens, constants: Mapping[str, Fraction | None]) -> _Form:
        names = flow.symbolic_constants
        shapes = [*[() for _ in names], *[b.shape for b in flow.state], *tokens.shapes]
        ring, arrays = Polynomials.in_shapes(shapes)
        ring.effort = Effort(_TERMS, _PRODUCTS)
        symbolic = dict(zip(names, arrays, strict=False))
        point = dict(zip((b.name for b in flow.state), arrays[len(names) :], strict=False))
        first = len(names) + flow.dimension
        return _Form(
            ring,
            exact_constants(ring, constants, symbolic),
            point,
            tuple(arrays[len(names) + len(flow.state) :]),
            len(names),
            first,
            len(tokens.exponents),
            time_variable(flow),
        )

    def run(self, function: Any) -> list[list[Any]]:
        """The entries of each output of a function of (constants, point, tokens)."""

        def shaped(array: np.ndarray) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct(array.shape[2:], jnp.float64)

        given = (dict(self.constants), dict(self.point), self.tokens)
        program = trace(function, *jax.tree.map(shaped, given))
        outputs = run(program, self.ring, jax.tree.leaves(given))
        return [list(o.reshape(-1)) for o in outputs]

    def taken_apart(
        self, value: Any, exponents: Sequence[Any], arguments: Sequence[Any]
    ) -> WrittenLaw | None:
        """An entry by its exponential factor and its logarithms; None where it has another form."""
        context = self.ring.context
        numerator, denominator = parts(value)
        tokens = range(self.state, len(context.gens()))
        if variables(denominator) & set(tokens):
            return None
        logarithms = tokens[self.exponentials :]
        powers: set[tuple[int, ...]] = set()
        rest: dict[tuple[int, ...], Any] = {}
        factors: dict[int, dict[tuple[int, ...], Any]] = {}
        for key, c in numerator.to_dict().items():
            m = tuple(map(int, key))
            powers.add(m[self.state : self.state + self.exponentials])
            own = [v for v in logarithms if m[v]]
            plain = (*m[: self.state], *(0 for _ in tokens))
            if not own:
                rest[plain] = c
            elif len(own) > 1 or m[own[0]] > 1 or any(m[self.symbols : self.state]):
                return None
            else:
                factors.setdefault(own[0], {})[plain] = c
        (power,) = powers if len(powers) == 1 else (None,)
        constant = only_of(denominator, range(self.symbols))
        if power is None or (factors and (any(power) or not constant)):
            return None
        rate: Any = context.constant(0)
        for n, q in zip(power, exponents, strict=True):
            if n and (self.time is None or not only_of(q, [*range(self.symbols), self.time])):
                return None
            rate = rate + n * derivative(q, self.time) if n and self.time is not None else rate

        def over(terms: dict[tuple[int, ...], Any]) -> Any:
            return simple(context.from_dict(terms), denominator, Effort())

        logs = tuple((over(c), arguments[v - logarithms[0]]) for v, c in sorted(factors.items()))
        return WrittenLaw(over(rest), rate, logs)
