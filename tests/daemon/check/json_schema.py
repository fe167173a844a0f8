# SPDX-License-Identifier: Apache-2.0
"""As much of JSON Schema 2020-12 as config/check.schema.json uses; a keyword beyond that is an
error, so that nothing stands in the schema that is not enforced."""
import json
import re

ANNOTATIONS = {"$schema", "$defs", "title", "description"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def is_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    if name == "number":
        return isinstance(value, (int, float))
    if name == "integer":
        return isinstance(value, int)
    return isinstance(value, TYPES[name])


def same(value, other):
    return type(value) is type(other) and value == other


def object_problems(schema, value, root, path):
    known = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{path}: {name} is missing"
    for name, member in value.items():
        if name in known:
            yield from problems(known[name], member, root, f"{path}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{path}: {name} is not known"
        elif "additionalProperties" in schema:
            yield from problems(schema["additionalProperties"], member, root, f"{path}.{name}")


def problems(schema, value, root, path="$"):
    """Yields a sentence for each thing that is wrong with `value`."""
    for keyword, says in schema.items():
        if keyword in ANNOTATIONS or keyword in ("required", "properties", "additionalProperties"):
            continue
        if keyword == "$ref":
            target = root
            for part in says.removeprefix("#/").split("/"):
                target = target[part]
            yield from problems(target, value, root, path)
        elif keyword == "type":
            if not any(is_type(value, name) for name in ([says] if isinstance(says, str) else says)):
                yield f"{path}: {json.dumps(value)[:80]} is no {says}"
        elif keyword == "const":
            if not same(value, says):
                yield f"{path}: is not {says}"
        elif keyword == "enum":
            if not any(same(value, each) for each in says):
                yield f"{path}: {json.dumps(value)[:80]} is none of {says}"
        elif keyword == "pattern":
            if isinstance(value, str) and not re.search(says, value):
                yield f"{path}: {value!r} does not match {says}"
        elif keyword == "minimum":
            if is_type(value, "number") and value < says:
                yield f"{path}: {value} is below {says}"
        elif keyword == "minItems":
            if isinstance(value, list) and len(value) < says:
                yield f"{path}: fewer than {says} items"
        elif keyword == "items":
            for i, item in enumerate(value if isinstance(value, list) else []):
                yield from problems(says, item, root, f"{path}[{i}]")
        elif keyword == "oneOf":
            found = [list(problems(each, value, root, path)) for each in says]
            if sum(not each for each in found) != 1:
                yield f"{path}: not one of {len(says)}: {min(found, key=len)[:3]}"
        else:
            raise ValueError(f"{path}: the schema has {keyword}, which nobody enforces")
    if isinstance(value, dict):
        yield from object_problems(schema, value, root, path)
