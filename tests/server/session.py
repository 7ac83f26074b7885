"""A real client that drives a real server, in a loop of its own."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.client import LanguageClient

T = TypeVar("T")
PATIENCE = 60


class Session:
    """A server process and the client that talks to it. Places are (line, UTF-16 column)."""

    def __init__(self, **options: Any):
        self.loop = asyncio.new_event_loop()
        self.client = LanguageClient("test", "1")
        self.told: dict[str, list[types.PublishDiagnosticsParams]] = defaultdict(list)
        self.versions: dict[str, int] = {}

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.told[params.uri].append(params)

        self.run(self.client.start_io(sys.executable, "-m", "geoflow", "lsp"))
        encodings = [types.PositionEncodingKind.Utf16]
        general = types.GeneralClientCapabilities(position_encodings=encodings)
        self.server = self.run(
            self.client.initialize_async(
                types.InitializeParams(
                    capabilities=types.ClientCapabilities(general=general),
                    initialization_options=options,
                )
            )
        )
        self.client.initialized(types.InitializedParams())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, PATIENCE))

    def close(self) -> None:
        self.run(self.client.shutdown_async(None))
        self.client.exit(None)
        self.run(self.client.stop())
        self.loop.close()

    # ------------------------------------------------------------ texts

    def open(self, path: Path, text: str) -> list[types.Diagnostic]:
        uri = path.as_uri()
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri, "geo", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return self.diagnostics(uri)

    def change(self, path: Path, text: str) -> list[types.Diagnostic]:
        uri = path.as_uri()
        self.versions[uri] += 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.versions[uri], uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )
        return self.diagnostics(uri)

    def save(self, path: Path) -> None:
        document = types.TextDocumentIdentifier(path.as_uri())
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(document))

    def diagnostics(self, uri: str) -> list[types.Diagnostic]:
        """Those of the latest text."""
        version = self.versions[uri]
        last = self.wait(lambda: [p for p in self.told[uri] if p.version == version])
        return list(last[-1].diagnostics)

    def wait(self, what: Callable[[], T]) -> T:
        """Wait until there is something."""

        async def waiting() -> T:
            while not (found := what()):
                await asyncio.sleep(0.005)
            return found

        return self.run(waiting())

    # ------------------------------------------------------------ questions

    def _at(self, path: Path, place: tuple[int, int]) -> tuple[Any, types.Position]:
        return types.TextDocumentIdentifier(path.as_uri()), types.Position(*place)

    def hover(self, path: Path, place: tuple[int, int]) -> str | None:
        found = self.run(
            self.client.text_document_hover_async(types.HoverParams(*self._at(path, place)))
        )
        if found is None:
            return None
        assert isinstance(found.contents, types.MarkupContent)
        return found.contents.value

    def complete(self, path: Path, place: tuple[int, int]) -> dict[str, types.CompletionItem]:
        params = types.CompletionParams(*self._at(path, place))
        found = self.run(self.client.text_document_completion_async(params))
        assert isinstance(found, list)
        return {item.label: item for item in found}

    def definition(self, path: Path, place: tuple[int, int]) -> types.Location | None:
        params = types.DefinitionParams(*self._at(path, place))
        found = self.run(self.client.text_document_definition_async(params))
        assert found is None or isinstance(found, types.Location)
        return found

    def format(self, path: Path) -> list[types.TextEdit]:
        document = types.TextDocumentIdentifier(path.as_uri())
        params = types.DocumentFormattingParams(document, types.FormattingOptions(4, True))
        return list(self.run(self.client.text_document_formatting_async(params)) or ())

    def actions(self, path: Path, place: types.Range) -> list[types.CodeAction]:
        document = types.TextDocumentIdentifier(path.as_uri())
        params = types.CodeActionParams(document, place, types.CodeActionContext([]))
        found = self.run(self.client.text_document_code_action_async(params)) or ()
        return [each for each in found if isinstance(each, types.CodeAction)]

    def symbols(self, path: Path) -> list[types.DocumentSymbol]:
        document = types.TextDocumentIdentifier(path.as_uri())
        params = types.DocumentSymbolParams(document)
        found = self.run(self.client.text_document_document_symbol_async(params)) or ()
        return [each for each in found if isinstance(each, types.DocumentSymbol)]


def place(text: str, word: str, nth: int = 0) -> tuple[int, int]:
    """The line and the UTF-16 column where a word stands for the nth time."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(word, start + 1)
    line = text.count("\n", 0, start)
    before = text[text.rfind("\n", 0, start) + 1 : start]
    return line, len(before.encode("utf-16-le")) // 2


def applied(text: str, edits: list[types.TextEdit]) -> str:
    """A text after edits, as an editor that counts in UTF-16 makes them."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode("utf-16-le")) + 2)
    data = text.encode("utf-16-le")

    def at(place: types.Position) -> int:
        return min(starts[min(place.line, len(lines))] + 2 * place.character, len(data))

    for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character))[::-1]:
        new = edit.new_text.encode("utf-16-le")
        data = data[: at(edit.range.start)] + new + data[at(edit.range.end) :]
    return data.decode("utf-16-le")
