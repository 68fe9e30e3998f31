"""Prints docs/reference/api.md from the API's OpenAPI document; a test compares the two.

python scripts/api.py > docs/reference/api.md
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.api.app import describing
from dashboards.rights import RIGHTS

HEAD = """# The API

{description}

The whole of it, with every shape, as OpenAPI: `/api/openapi.json`. Who may do what stands in
[pages](pages.md#who-may-write). Printed from that document by `python scripts/api.py`.

```sh
curl -H "Authorization: Bearer $SPRUE_TOKEN" "https://sprue.plant/api/cycles?mold=A-2217&limit=2"
```
"""

TAGS = {
    "cycles": "Cycles",
    "anomalies": "Anomalies",
    "molds": "Molds",
    "exports": "Exports",
    "status": "Status",
}


def page() -> str:
    """The whole page."""
    document = describing()
    parts = [HEAD.format(description=document["info"]["description"])]
    for tag, title in TAGS.items():
        if rows := list(_rows(document, tag)):
            parts += [f"## {title}", "", "| address | does | takes | gives |", "|---|---|---|---|"]
            parts += [*rows, ""]
    parts += ["## Shapes", ""]
    for name, shape in document["components"]["schemas"].items():
        parts += _shape(name, shape)
    return "\n".join(parts).rstrip() + "\n"


def _rows(document: Mapping[str, Any], tag: str) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            if tag in each.get("tags", ()):
                right = each.get("x-right", "")
                roles = ", ".join(sorted(RIGHTS[right])) if right else ""
                does = " ".join(each.get("description", "").split()) or each["summary"]
                does += f" ({roles})" if right else ""
                address = f"`{method.upper()} /api{path}`"
                takes = "; ".join(_takes(each))
                yield f"| {address} | {_cell(does)} | {_cell(takes)} | {_gives(each)} |"


def _takes(each: Mapping[str, Any]) -> Iterator[str]:
    for given in each.get("parameters", ()):
        if given["in"] != "path" and given["name"].lower() != "idempotency-key":
            yield f"`{given['name']}`"
    if body := each.get("requestBody"):
        yield _link(body["content"]["application/json"]["schema"])


def _gives(each: Mapping[str, Any]) -> str:
    content: dict[str, Any] = each["responses"]["200"].get("content", {})
    first: dict[str, Any] = next(iter(content.values()), {})
    return _link(first.get("schema", {})) or "the file"


def _link(schema: Mapping[str, Any]) -> str:
    for found in (schema, *schema.get("anyOf", ())):
        if "$ref" in found:
            name = found["$ref"].rpartition("/")[2]
            return f"[{_plain(name)}](#{_plain(name).lower().replace(' ', '-')})"
    return ""


def _shape(name: str, shape: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"### {_plain(name)}", "")
    if said := shape.get("description"):
        yield from (" ".join(said.split()), "")
    yield from ("| member | type | unit | what |", "|---|---|---|---|")
    needed = shape.get("required", ())
    for member, of in shape.get("properties", {}).items():
        kind = _kind(of) + ("" if member in needed else ", optional")
        unit = of.get("x-unit", "")
        yield f"| `{member}` | {kind} | {unit} | {_cell(of.get('description', ''))} |"
    if shape.get("additionalProperties") is True:
        yield "| ... | | | others under their own names |"
    yield ""


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if "$ref" in schema:
        return _link(schema)
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    match schema.get("type"):
        case "array":
            return f"list of {_kind(schema.get('items', {})) or 'anything'}"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"{_kind(schema['additionalProperties'])} by name"
        case "string" if "format" in schema:
            return str(schema["format"])
        case found:
            return str(found or "anything")


def _plain(name: str) -> str:
    return name.replace("_", " ").strip() if "[" not in name else name


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
