"""A network handed over as a JAX function `apply(params, x)`: its parameters and inputs by name, tried out once.

The trial finds what goes wrong in the user's own code, and says where and what helps: there every exception of JAX,
Equinox or Flax becomes one `ValueError`.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from geoflow.exact.cures import DROPOUT, cure, is_random
from geoflow.exact.program import UnsupportedPrimitive, trace
from geoflow.lookups import NoTable, looked_up, vocabulary
from geoflow.parametrization import Arrays, Block, Datum
from geoflow.trainable import Trainable, named, trainable

_LIBRARIES = ("/site-packages/", "<frozen", "<string>", "/contextlib.py", "/functools.py")
_PACKAGE = str(Path(__file__).parent)
_CONCRETE = (
    jax.errors.ConcretizationTypeError,  # of truth values and integers, too
    jax.errors.NonConcreteBooleanIndexError,
)


@dataclass(frozen=True)
class Network:
    """The shapes of parameters and inputs, and the function of both."""

    blocks: tuple[Block, ...]
    data: tuple[Datum, ...]
    output: Callable[[Arrays, Arrays], tuple[jax.Array, ...]]


def network(apply: Callable[..., Any], params: Any, x: Any) -> Network:
    """The network x ↦ apply(params, x).

    Raises:
        ValueError: the parameters, the input or the network are none that can be analyzed; the message says the place
            and a cure.
    """
    trained = trainable(params)
    blocks = tuple(Block(n, tuple(a.shape)) for n, a in trained.arrays.items())
    inputs = _Inputs.of(x, set(trained.arrays))
    call = _Call(apply, trained, inputs)
    with jax.enable_x64(True):
        outputs = call.tried()
        sizes = call.sized()
    _verify_outputs(outputs)
    data = inputs.data(sizes)
    output = call.output(data)
    _verify_program(blocks, data, output)
    return Network(blocks, data, output)


def called(model: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """(model, x) ↦ model(x).

    Raises:
        ValueError: the model is a function, so it is the example input that was left out.
    """
    if inspect.isroutine(model):
        raise ValueError(
            "the example input is missing: write Flow.of_network(apply, params, x), where only shapes and dtypes of x "
            "matter; a map without data is Flow(phi, params)"
        )
    return lambda m, x: m(x)


@dataclass(frozen=True)
class _Inputs:
    """The leaves of an example input."""

    names: tuple[str, ...]
    leaves: tuple[jax.ShapeDtypeStruct, ...]
    tree: Any

    @staticmethod
    def of(x: Any, taken: set[str]) -> _Inputs:
        paths, tree = jax.tree_util.tree_flatten_with_path(x)
        if not paths:
            raise ValueError("x holds no array; give one example input, such as jnp.zeros(3)")
        root = "x"
        while any(n == root or n.startswith((f"{root}.", f"{root}[")) for n in taken):
            root = f"{root}_"
        names, leaves = [], []
        for path, leaf in paths:
            own = named(path).removeprefix("theta") if path else ""
            name = f"{root}{own if not own or own.startswith('[') else '.' + own}"
            value = leaf if hasattr(leaf, "dtype") else np.asarray(leaf)
            names.append(name)
            leaves.append(_input_shape(name, value))
        return _Inputs(tuple(names), tuple(leaves), tree)

    @property
    def integral(self) -> tuple[int, ...]:
        """The places of the inputs that are token ids."""
        return tuple(k for k, s in enumerate(self.leaves) if jnp.issubdtype(s.dtype, jnp.integer))

    def data(self, sizes: Sequence[int]) -> tuple[Datum, ...]:
        values = dict(zip(self.integral, sizes, strict=True))
        return tuple(
            Datum(n, (*s.shape, values[k]), "onehot") if k in values else Datum(n, tuple(s.shape))
            for k, (n, s) in enumerate(zip(self.names, self.leaves, strict=True))
        )

    @property
    def text(self) -> str:
        """How a message shows the input."""
        return ", ".join(
            f"{n} of shape {tuple(s.shape)}" for n, s in zip(self.names, self.leaves, strict=True)
        )


def _input_shape(name: str, value: Any) -> jax.ShapeDtypeStruct:
    dtype = value.dtype
    if jnp.issubdtype(dtype, jnp.integer):
        return jax.ShapeDtypeStruct(value.shape, np.int64)
    if jnp.issubdtype(dtype, jnp.floating):
        return jax.ShapeDtypeStruct(value.shape, np.float64)
    if jnp.issubdtype(dtype, jax.dtypes.prng_key):
        raise ValueError(f"the input {name} is a random key, which is no input; {DROPOUT}")
    raise ValueError(
        f"the input {name} has dtype {dtype}; give real numbers or integers (token ids), "
        "and what is fixed (a mask, say) inside the function"
    )


@dataclass(frozen=True)
class _Call:
    """`apply`, with arrays put in the place of parameters and inputs."""

    apply: Callable[..., Any]
    trained: Trainable
    inputs: _Inputs

    def __call__(self, theta: Sequence[Any], leaves: Sequence[Any]) -> tuple[jax.Array, ...]:
        x = jax.tree.unflatten(self.inputs.tree, list(leaves))
        return tuple(map(jnp.asarray, jax.tree.leaves(self.apply(self.trained.rebuild(theta), x))))

    def tried(self) -> tuple[jax.ShapeDtypeStruct, ...]:
        """The shapes of the outputs."""
        try:
            return jax.eval_shape(self, self._theta, list(self.inputs.leaves))
        except Exception as error:
            raise _explained(error, self.inputs) from error

    def sized(self) -> tuple[int, ...]:
        """How many values each integral input takes."""
        leaves: list[Any] = [jnp.zeros(s.shape, s.dtype) for s in self.inputs.leaves]
        theta = [jnp.zeros(s.shape) for s in self._theta]

        def size(k: int) -> int:
            def alone(ids: jax.Array) -> Any:
                return self(theta, [*leaves[:k], ids, *leaves[k + 1 :]])

            with _tables(self.inputs.names[k]):
                return vocabulary(alone, self.inputs.leaves[k])

        return tuple(map(size, self.inputs.integral))

    @property
    def _theta(self) -> list[jax.ShapeDtypeStruct]:
        arrays = self.trained.arrays.values()
        return [jax.ShapeDtypeStruct(a.shape, np.float64) for a in arrays]

    def output(self, data: Sequence[Datum]) -> Callable[[Arrays, Arrays], tuple[jax.Array, ...]]:
        """The network as a function of (constants, parameters and inputs by name)."""
        names = tuple(self.trained.arrays)

        def values(_: Arrays, given: Arrays) -> tuple[jax.Array, ...]:
            theta = [given[n] for n in names]
            return self._of_rows(theta, [given[d.name] for d in data], self.inputs.integral)

        return values

    def _of_rows(
        self, theta: Sequence[Any], leaves: list[Any], integral: Sequence[int]
    ) -> tuple[jax.Array, ...]:
        """With one-hot rows in the place of the integers `integral`."""
        if not integral:
            return self(theta, leaves)
        k, *others = integral

        def alone(ids: Any) -> Any:
            return self._of_rows(theta, [*leaves[:k], ids, *leaves[k + 1 :]], others)

        with _tables(self.inputs.names[k]):
            return looked_up(alone, self.inputs.leaves[k])(leaves[k])


def _verify_outputs(outputs: Sequence[jax.ShapeDtypeStruct]) -> None:
    if not outputs:
        raise ValueError("the network returns no array; is a `return` missing?")
    for y in outputs:
        if jnp.issubdtype(y.dtype, jnp.complexfloating):
            raise ValueError("the network's output is complex; return its real and imaginary parts")
        if not jnp.issubdtype(y.dtype, jnp.floating):
            raise ValueError(
                f"the network returns {y.dtype}, which no loss is differentiated by; "
                "return the values before argmax, rounding or comparison"
            )


def _verify_program(
    blocks: Sequence[Block],
    data: Sequence[Datum],
    output: Callable[[Arrays, Arrays], tuple[jax.Array, ...]],
) -> None:
    """Nothing random or ordered is in the way, and every parameter and input is read."""
    examples = {b.name: jax.ShapeDtypeStruct(b.shape, np.float64) for b in (*blocks, *data)}
    try:
        program = trace(lambda values: output({}, values), examples)
    except UnsupportedPrimitive as error:
        raise ValueError(_refusal(error.name, error.where)) from None
    for instruction in program.instructions:
        if cure(instruction.primitive):
            raise ValueError(_refusal(instruction.primitive, instruction.where))
    read = {s for i in program.instructions for s in i.inputs} | set(program.outputs)
    unread = {n for k, n in enumerate(sorted(examples)) if k not in read}
    parameters = [b.name for b in blocks if b.name in unread]
    if len(parameters) == len(blocks):
        raise ValueError("the network does not depend on its parameters")
    if parameters:
        raise ValueError(
            f"the network does not read {_listed(parameters)}: nothing trains what it does not read, "
            "so every entry would be a law; leave it out of params"
        )
    if len(data) == len(unread - set(parameters)):
        raise ValueError(
            "the network does not depend on x; for a map of the parameters alone use "
            "Flow(phi, params)"
        )


def _refusal(primitive: str, where: str) -> str:
    place = f" ({where})" if where else ""
    if is_random(primitive):
        return _dropout(place)
    hint = f": {cure(primitive)}" if cure(primitive) else ""
    return f"the network uses `{primitive}`{place}, which has no exact evaluation{hint}"


def _dropout(place: str) -> str:
    return f"a random dropout is left on{place}; {DROPOUT}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown


@contextmanager
def _tables(name: str) -> Iterator[None]:
    try:
        yield
    except NoTable as error:
        raise ValueError(
            f"the integer input {name} is used in `{error.primitive}`; integers may only look up "
            "rows of an array (an embedding) or be compared with numbers. Give one-hot rows "
            "(jax.nn.one_hot) as a real input instead"
        ) from None


def _explained(error: Exception, inputs: _Inputs) -> ValueError:
    """What went wrong while the network was evaluated."""
    place = _place(error)
    text = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    lower = str(error).lower()
    if "dropout" in lower or type(error).__name__ == "InvalidRngError":
        return ValueError(_dropout(place))
    if isinstance(error, jax.errors.TracerArrayConversionError):
        return ValueError(f"the network calls NumPy on a traced array{place}; use jax.numpy")
    if isinstance(error, _CONCRETE):
        return ValueError(
            f"the network's Python code decides by a value{place}, such as `if x > 0:` or `int(x)`; "
            "use jnp.where, jax.nn.relu or jax.lax.cond, or fix the value outside"
        )
    return ValueError(
        f"the network cannot be evaluated at {inputs.text}{place}: {type(error).__name__}: {text}"
    )


def _place(error: Exception) -> str:
    """The last line of the user's code on the way to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not any(part in f.filename for part in _LIBRARIES)]
    own = [f for f in own if not f.filename.startswith(_PACKAGE)]
    return f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
