"""`%%geoflow` in a notebook: the cell is a model text, its output what `geoflow check` says.

    %load_ext geoflow
    %%geoflow [NAME] [-D n=3] [--seed 1] [--no-verify] [--timeout 10]

The report is the cell's value; under NAME it can be used afterwards, and `NAME_flow` is the flow of a single model.
"""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from geoflow.options import CheckOptions
from geoflow.pipeline import check_text
from geoflow.results import Report


@magics_class
class GeoflowMagics(Magics):
    """The magics of geoflow."""

    @magic_arguments()
    @argument("name", nargs="?", default="", help="the variable that the report is kept in")
    @argument("-D", dest="overrides", metavar="NAME=VALUE", action="append", default=[])
    @argument("--seed", type=int, default=0, help="where all random choices come from")
    @argument("--timeout", type=float, default=None, help="seconds")
    @argument("--no-verify", action="store_true", help="do not integrate trajectories")
    @cell_magic
    def geoflow(self, line: str, cell: str) -> Report:
        """Check the model of the cell."""
        given = parse_argstring(self.geoflow, line)
        if given.name and not given.name.isidentifier():
            raise UsageError(f"{given.name!r} is no name of a variable")
        options = CheckOptions(
            dict(_pair(text) for text in given.overrides),
            given.seed,
            given.timeout,
            not given.no_verify,
            exhibit=True,
        )
        report = check_text(cell, "<cell>", options)
        if given.name:
            self._keep(given.name, report, cell, options)
        return report

    def _keep(self, name: str, report: Report, cell: str, options: CheckOptions) -> None:
        from geoflow.api import loads

        kept: dict[str, Any] = {name: report}
        if len(report.models) == 1:
            kept[f"{name}_flow"] = loads(cell, overrides=options.overrides).flow()
        assert self.shell is not None
        self.shell.push(kept)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        raise UsageError(f"{text!r} is not of the form NAME=VALUE, such as -D n=5")
    return name, value
