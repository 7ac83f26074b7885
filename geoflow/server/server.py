"""The language server: each request of the protocol, answered by the module that knows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from geoflow.diagnostics import DiagnosticError
from geoflow.formatting import format_text
from geoflow.server import verdicts
from geoflow.server.completion import Completion, complete
from geoflow.server.definition import definition
from geoflow.server.documents import Document, Documents
from geoflow.server.findings import fixes, saved, to_protocol
from geoflow.server.hover import hover
from geoflow.server.pointing import point
from geoflow.server.positions import offset, span_range
from geoflow.server.symbols import symbols

SETTLE = 0.02  # seconds in which a burst of changes is one
_Kind = types.CompletionItemKind
_KINDS = {
    "keyword": _Kind.Keyword,
    "option": _Kind.EnumMember,
    "function": _Kind.Function,
    "file": _Kind.File,
    "size": _Kind.Constant,
    "constant": _Kind.Constant,
}


class Server(LanguageServer):
    """The server with the documents that are open in it."""

    def __init__(self, version: str):
        # whole texts: what counts as a line end differs between editors, front ends and libraries
        super().__init__("geoflow", version, types.TextDocumentSyncKind.Full)
        self.documents = Documents()
        self.check_on_save = True
        self.checks: dict[str, asyncio.Task[None]] = {}

    @property
    def encoding(self) -> str:
        """How the client counts columns."""
        return self.workspace.position_encoding or types.PositionEncodingKind.Utf16

    def document(self, uri: str) -> Document:
        """What is known of the text that the editor shows."""
        return self.documents.look(uri, self.workspace.get_text_document(uri).source)

    def offset(self, document: Document, place: types.Position) -> int:
        """The character that a place of the editor is at."""
        return offset(document.source, place, self.encoding)

    def publish(self, uri: str) -> None:
        """Tell of what is wrong."""
        shown = self.workspace.get_text_document(uri)
        document = self.document(uri)
        found = [
            to_protocol(each, document.name, self.encoding) for each in document.survey.diagnostics
        ]
        said = self.documents.current(uri, document.text)
        known = {(each.code, each.range.start.line) for each in found}
        for each in saved(said.findings, document.source, self.encoding):
            if (each.code, each.range.start.line) not in known:
                found.append(each)
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, found, shown.version)
        )

    async def check(self, uri: str) -> None:
        """Ask what the laws of a saved file are."""
        document = self.document(uri)
        if document.path is None:
            return
        said = await verdicts.ask(str(document.path))
        if said is not None and uri in self.workspace.text_documents:
            self.documents.judge(uri, document.text, said)
            self.publish(uri)


def build(version: str) -> Server:
    """A server that answers all that geoflow has an answer to."""
    server = Server(version)
    _texts(server)
    _questions(server)
    _changes(server)
    return server


def _texts(server: Server) -> None:
    """Opening, changing, saving, closing."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        options = params.initialization_options
        if isinstance(options, Mapping):
            server.check_on_save = bool(options.get("checkOnSave", True))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.publish(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        uri, version = params.text_document.uri, params.text_document.version
        await asyncio.sleep(SETTLE)
        if server.workspace.text_documents.get(uri) is None:
            return
        if server.workspace.get_text_document(uri).version == version:
            server.publish(uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def was_saved(params: types.DidSaveTextDocumentParams) -> None:
        uri = params.text_document.uri
        for other in server.documents.used_by(uri):
            server.publish(other)
        if (running := server.checks.pop(uri, None)) is not None:
            running.cancel()
        wrong = any(d.severity == "error" for d in server.document(uri).survey.diagnostics)
        if server.check_on_save and not wrong:
            server.checks[uri] = asyncio.create_task(server.check(uri))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        if (running := server.checks.pop(uri, None)) is not None:
            running.cancel()
        server.documents.close(uri)
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    @server.feature(types.SHUTDOWN)
    def shut_down(_: Any) -> None:
        for running in server.checks.values():
            running.cancel()


def _questions(server: Server) -> None:
    """Hovering, completing, going to a definition, the outline."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(params: types.HoverParams) -> types.Hover | None:
        document = server.document(params.text_document.uri)
        pointed = point(document.survey, server.offset(document, params.position))
        told = pointed and hover(pointed, server.documents.verdicts(document.uri))
        if not pointed or not told:
            return None
        content = types.MarkupContent(types.MarkupKind.Markdown, told)
        return types.Hover(content, span_range(pointed.span, server.encoding))

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=[" ", "(", "[", "{", '"']),
    )
    def completed(params: types.CompletionParams) -> list[types.CompletionItem]:
        document = server.document(params.text_document.uri)
        at = server.offset(document, params.position)
        return [_item(each) for each in complete(document.survey, at, document.path)]

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def defined(params: types.DefinitionParams) -> types.Location | None:
        document = server.document(params.text_document.uri)
        at = server.offset(document, params.position)
        return definition(document.survey, at, document.path, server.encoding)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outlined(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        return symbols(server.document(params.text_document.uri).survey, server.encoding)


def _item(completion: Completion) -> types.CompletionItem:
    return types.CompletionItem(
        label=completion.word,
        kind=_KINDS.get(completion.kind, _Kind.Variable),
        detail=completion.kind,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, completion.meaning)
        if completion.meaning
        else None,
        insert_text=completion.typed,
    )


def _changes(server: Server) -> None:
    """Formatting and quick fixes."""

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatted(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        document = server.document(params.text_document.uri)
        source = document.source
        try:
            text = format_text(source)
        except DiagnosticError:
            return []
        if text == document.text:
            return []
        end = types.Position(source.text.count("\n") + 1, 0)
        return [types.TextEdit(types.Range(types.Position(0, 0), end), text)]

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    )
    def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = server.document(params.text_document.uri)
        start, end = params.range.start, params.range.end

        def wanted(place: types.Range) -> bool:
            return place.start <= end and start <= place.end

        found = document.survey.diagnostics
        return list(fixes(found, document.name, wanted, server.encoding))
