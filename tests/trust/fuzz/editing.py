"""A session of an editor with the language server, in this process: its handlers called one after the other."""

from __future__ import annotations

import asyncio
import json
import random
from functools import cache
from typing import Any, cast

from lsprotocol import types
from pygls.workspace import Workspace

from geoflow.server.server import Server, build
from tests.trust.fuzz.texts import any_text, damaged, models

FILE = "file:///nowhere/fuzz.geo"
QUESTIONS = {
    "hover": (types.TEXT_DOCUMENT_HOVER, types.HoverParams),
    "complete": (types.TEXT_DOCUMENT_COMPLETION, types.CompletionParams),
    "definition": (types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams),
}
ENCODINGS = ("utf-16", "utf-8", "utf-32")


def any_session(rng: random.Random) -> bytes:
    """A text that is opened, changed, and asked about at places inside and outside of it."""
    text = any_text(rng)
    steps: list[list[Any]] = [["open", text, rng.choice(ENCODINGS)]]
    for _ in range(rng.randrange(1, 8)):
        kind = rng.random()
        if kind < 0.25:
            text = damaged(text, rng) if text and rng.random() < 0.8 else rng.choice(models())
            steps.append(["change", text])
        elif kind < 0.75:
            steps.append([rng.choice(sorted(QUESTIONS)), *_place(text, rng)])
        elif kind < 0.85:
            steps.append(["actions", *_place(text, rng), *_place(text, rng)])
        else:
            steps.append([rng.choice(["format", "symbols", "close"])])
    return json.dumps(steps).encode()


def _place(text: str, rng: random.Random) -> tuple[int, int]:
    if rng.random() < 0.2:
        return rng.choice([0, 1, 10**6, 2**31 - 1]), rng.choice([0, 1, 10**6, 2**31 - 1])
    lines = text.split("\n")
    line = rng.randrange(len(lines))
    return line, rng.randrange(len(lines[line]) + 2)


class Editor:
    """A server without a client."""

    def __init__(self, encoding: str):
        self.server: Server = build("0")
        protocol: Any = self.server.protocol
        kind = types.TextDocumentSyncKind.Full
        protocol._workspace = Workspace(None, kind, None, encoding)
        self.told: list[types.PublishDiagnosticsParams] = []
        cast(Any, self.server).text_document_publish_diagnostics = self.told.append
        self.server.check_on_save = False
        self.version = 0

    def call(self, feature: str, params: Any) -> Any:
        """What a handler answers."""
        answer = cast(Any, self.server.protocol).fm.features[feature](params)
        return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer

    def open(self, text: str) -> None:
        """Open or change the text: what its diagnostics are is told."""
        self.version += 1
        item = types.TextDocumentItem(FILE, "geo", self.version, text)
        self.server.workspace.put_text_document(item)
        self.call(types.TEXT_DOCUMENT_DID_OPEN, types.DidOpenTextDocumentParams(item))

    def close(self) -> None:
        """Close it."""
        document = types.TextDocumentIdentifier(FILE)
        self.call(types.TEXT_DOCUMENT_DID_CLOSE, types.DidCloseTextDocumentParams(document))

    def step(self, name: str, *rest: Any) -> Any:
        """One step of a session."""
        document = types.TextDocumentIdentifier(FILE)
        match name:
            case "open" | "change":
                return self.open(rest[0])
            case "close":
                self.close()
                return self.open("")
            case "format":
                options = types.FormattingOptions(4, True)
                params = types.DocumentFormattingParams(document, options)
                return self.call(types.TEXT_DOCUMENT_FORMATTING, params)
            case "symbols":
                params = types.DocumentSymbolParams(document)
                return self.call(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, params)
            case "actions":
                places = types.Range(types.Position(*rest[:2]), types.Position(*rest[2:]))
                params = types.CodeActionParams(document, places, types.CodeActionContext([]))
                return self.call(types.TEXT_DOCUMENT_CODE_ACTION, params)
            case _:
                feature, kind = QUESTIONS[name]
                return self.call(feature, kind(document, types.Position(*rest)))


def replay(data: bytes) -> bool:
    """Whether the last text was in order; every answer must be one that the protocol can carry."""
    steps = json.loads(data)
    editor = Editor(steps[0][2] if len(steps[0]) > 2 else "utf-16")
    for name, *rest in steps:
        answer = editor.step(name, *(rest[:1] if name == "open" else rest))
        json.dumps(_converter().unstructure(answer))
    for told in editor.told:
        json.dumps(_converter().unstructure(told))
        for diagnostic in told.diagnostics:
            assert diagnostic.range.start <= diagnostic.range.end
    return not (editor.told and editor.told[-1].diagnostics)


@cache
def _converter() -> Any:
    from pygls.protocol import default_converter

    return default_converter()
