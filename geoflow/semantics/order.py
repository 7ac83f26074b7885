"""The order of definitions that need each other: strongly connected components, by Tarjan's algorithm
without recursion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

Graph = Mapping[str, Sequence[str]]


def components(needs: Graph) -> list[list[str]]:
    """The names in groups that need each other, each group after all that it needs."""
    found: list[list[str]] = []
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_names: list[str] = []
    is_open: set[str] = set()
    for root in needs:
        waiting: list[tuple[str, Iterator[str]]] = []
        if root not in number:
            waiting.append((root, iter(needs[root])))
        while waiting:
            name, rest = waiting[-1]
            if name not in number:
                number[name] = low[name] = len(number)
                open_names.append(name)
                is_open.add(name)
            for needed in rest:
                if needed not in number:
                    waiting.append((needed, iter(needs[needed])))
                    break
                if needed in is_open:
                    low[name] = min(low[name], number[needed])
            else:
                waiting.pop()
                if waiting:
                    above = waiting[-1][0]
                    low[above] = min(low[above], low[name])
                if low[name] == number[name]:
                    group = [open_names.pop()]
                    while group[-1] != name:
                        group.append(open_names.pop())
                    is_open.difference_update(group)
                    found.append(group)
    return found


def circle(needs: Graph, start: str, group: set[str]) -> list[str]:
    """A shortest way from a name back to itself inside its group; the name stands at both ends."""
    before: dict[str, str] = {}
    reached = [start]
    for name in reached:
        for needed in needs[name]:
            if needed == start:
                path = [start, name]
                while path[-1] != start:
                    path.append(before[path[-1]])
                return path[::-1]
            if needed in group and needed not in before:
                before[needed] = name
                reached.append(needed)
    raise ValueError(f"{start} does not need itself")
