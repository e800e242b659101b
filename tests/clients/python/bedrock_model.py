"""Amazon's own model of the operation, as boto3 brings it along, as a judge of bodies."""

import base64
import re

import botocore.session
import botocore.validate

SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")


def faults(body, operation="Converse"):
    """What the model has against the body of a request: unknown and missing members, types, words, patterns."""
    shape = SERVICE.operation_model(operation).input_shape
    value = {"modelId": "m"} | decoded(shape, body)
    report = botocore.validate.ParamValidator().validate(value, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found + list(misfits(shape, value))


def is_free(shape):
    return getattr(shape, "is_document_type", False)


def decoded(shape, value):
    """With bytes where JSON has base64."""
    if is_free(shape):
        return value
    if shape.type_name == "structure" and isinstance(value, dict):
        members = shape.members
        return {name: decoded(members[name], inner) if name in members else inner for name, inner in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [decoded(shape.member, inner) for inner in value]
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=True)
    return value


def misfits(shape, value, path=""):
    """What boto3 leaves to the service: words that are not in the list, patterns, lengths."""
    if is_free(shape):
        return
    if shape.type_name == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from misfits(shape.members[name], inner, f"{path}.{name}")
    elif shape.type_name == "list":
        for at, inner in enumerate(value):
            yield from misfits(shape.member, inner, f"{path}[{at}]")
    elif shape.type_name == "map":
        for name, inner in value.items():
            yield from misfits(shape.key, name, f"{path}.{name}")
            yield from misfits(shape.value, inner, f"{path}.{name}")
    elif shape.type_name == "string":
        pattern, longest = shape.metadata.get("pattern"), shape.metadata.get("max")
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is none of {shape.enum}"
        if pattern and not re.fullmatch(pattern, value):
            yield f"{path}: {value!r} does not match {pattern}"
        if longest and len(value) > longest:
            yield f"{path}: {len(value)} characters, of which {longest} are allowed"
