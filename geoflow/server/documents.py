"""The texts that are open, each looked at once however often it is asked about."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pygls.uris import to_fs_path

from geoflow.diagnostics import Source
from geoflow.semantics.reading import Survey, survey
from geoflow.server.verdicts import Verdicts


@dataclass(frozen=True)
class Document:
    """A text at one moment, and all that the front end knows of it."""

    uri: str
    text: str
    path: Path | None
    survey: Survey

    @property
    def source(self) -> Source:
        """The text as the front end reads it, every line end a newline."""
        return self.survey.file.span.source

    @property
    def name(self) -> str:
        """What the file is called in diagnostics."""
        return self.source.name


@dataclass
class Documents:
    """The open documents by URI, and what was said of them when they were saved."""

    _latest: dict[str, Document] = field(default_factory=dict)
    _verdicts: dict[str, tuple[str, Verdicts]] = field(default_factory=dict)  # with the text judged

    def look(self, uri: str, text: str) -> Document:
        """The document with this text."""
        known = self._latest.get(uri)
        if known is None or known.text != text:
            path = file_path(uri)
            name = None if path is not None else "<text>"
            known = Document(uri, text, path, survey(text, path, name))
            self._latest[uri] = known
        return known

    def judge(self, uri: str, text: str, verdicts: Verdicts) -> None:
        """Keep what was said of a text."""
        self._verdicts[uri] = (text, verdicts)

    def verdicts(self, uri: str) -> Verdicts:
        """What was said when the file was last saved."""
        return self._verdicts.get(uri, ("", Verdicts()))[1]

    def current(self, uri: str, text: str) -> Verdicts:
        """The same, nothing where the text has changed since."""
        judged, verdicts = self._verdicts.get(uri, ("", Verdicts()))
        return verdicts if judged == text else Verdicts()

    def used_by(self, uri: str) -> list[str]:
        """The open documents that may read another one; it is looked at anew."""
        others = [each for each in self._latest if each != uri]
        for each in others:
            self._latest.pop(each)
        return others

    def close(self, uri: str) -> None:
        """Forget a document."""
        self._latest.pop(uri, None)
        self._verdicts.pop(uri, None)


def file_path(uri: str) -> Path | None:
    """The file of a URI, if it is one."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None
