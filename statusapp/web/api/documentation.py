"""Where the API is described: the document for programs, and a page of the same for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Response, make_response, render_template
from marshmallow import Schema

from statusapp.web.api.answers import answer
from statusapp.web.api.blueprints import public
from statusapp.web.api.document import load_document


@dataclass(frozen=True, slots=True)
class Operation:
    """One request that can be made, as the page shows it."""

    method: str
    path: str
    summary: str
    description: str
    parameters: list[dict[str, Any]]
    body: str | None
    answers: list[tuple[str, str, str | None]]
    is_open: bool

    @property
    def anchor(self) -> str:
        """Where it is on the page."""
        return f"{self.method}-{self.path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}"


@public.route("/openapi.json")
@public.response(200, Schema, description="An OpenAPI 3 document.")
def openapi() -> Response:
    """This document."""
    return answer(load_document())


@public.route("/docs/")
@public.response(200, {"type": "string"}, content_type="text/html", description="A page for people.")
def docs() -> Response:
    """The same as a page that people can read."""
    document = load_document()
    sections = [(title, found) for title, found in _sections(document) if found]
    response = make_response(render_template("api/docs.html", document=document, sections=sections))
    response.headers["Cache-Control"] = "no-cache"
    return response


def _sections(document: dict[str, Any]) -> list[tuple[str, list[Operation]]]:
    """The operations by what they are about: the first word of their path below the API's."""
    found: dict[str, list[Operation]] = {}
    for path, methods in sorted(document["paths"].items()):
        for method in ("get", "post", "put", "patch", "delete"):
            if method in methods:
                found.setdefault(_subject(path), []).append(_operation(path, method, methods, document))
    return sorted(found.items())


def _subject(path: str) -> str:
    parts = path.removeprefix("/health/api/").removeprefix("/api/v1/").strip("/").split("/")
    return parts[0].replace("-", " ").capitalize() or "More"


def _operation(path: str, method: str, methods: dict[str, Any], document: dict[str, Any]) -> Operation:
    told = methods[method]
    content = told.get("requestBody", {}).get("content", {})
    schema = next((kind.get("schema") for kind in content.values()), None)
    return Operation(
        method=method.upper(),
        path=path,
        summary=told.get("summary", ""),
        description=told.get("description", ""),
        parameters=[*methods.get("parameters", []), *told.get("parameters", [])],
        body=None if schema is None else _example(schema, document, leaving_out="readOnly"),
        answers=[_answer(code, one, document) for code, one in sorted(told["responses"].items())],
        is_open={} in told.get("security", []),
    )


def _answer(code: str, told: dict[str, Any], document: dict[str, Any]) -> tuple[str, str, str | None]:
    schema = told.get("content", {}).get("application/json", {}).get("schema")
    shown = None if schema is None or not code.startswith("2") else _example(schema, document, leaving_out="writeOnly")
    return code, told.get("description", ""), shown


def _example(schema: dict[str, Any], document: dict[str, Any], *, leaving_out: str) -> str:
    example = _Examples(document["components"]["schemas"], leaving_out).of(schema)
    return json.dumps(example, indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class _Examples:
    """Values of schemas: the examples that fields give, else something of their type.

    `leaving_out` marks fields that are not in what is shown: "readOnly" in a body, "writeOnly" in an answer.
    """

    schemas: dict[str, Any]
    leaving_out: str

    def of(self, schema: dict[str, Any]) -> Any:
        """A value of a schema."""
        if "$ref" in schema:
            return self.of(self.schemas[schema["$ref"].rpartition("/")[2]])
        for word in ("anyOf", "allOf"):
            if word in schema:
                return self.of(schema[word][-1])
        for word in ("example", "default"):
            if word in schema:
                return schema[word]
        return schema["enum"][0] if schema.get("enum") else self._of_type(schema)

    def _of_type(self, schema: dict[str, Any]) -> Any:
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            fields = schema.get("properties", {}).items()
            return {name: self.of(field) for name, field in fields if not field.get(self.leaving_out)}
        if kind == "array":
            return [self.of(schema.get("items", {}))]
        if kind == "string":
            return {"date-time": "2026-11-24T10:02:00.000Z", "date": "2026-11-24"}.get(schema.get("format", ""), "text")
        return {"integer": 1, "number": 0.5, "boolean": True}.get(str(kind))
