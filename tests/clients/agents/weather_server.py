"""The smallest MCP server: one tool over standard input and output, so that an agent has something real to call."""

import json
import sys

TOOL = {
    "name": "get_weather",
    "description": "The weather in a city",
    "inputSchema": {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Oslo"]}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


def answer(method, params):
    """The result of a request; `None` for a method that is not known."""
    if method == "initialize":
        info = {"name": "weather", "version": "1"}
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": info}
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        text = f"Rain in {params['arguments']['city']}, 12 degrees."
        return {"content": [{"type": "text", "text": text}]}
    return None


def main():
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" not in asked:
            continue
        result = answer(asked["method"], asked.get("params", {}))
        told = {"error": {"code": -32601, "message": "no such method"}} if result is None else {"result": result}
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"]} | told), flush=True)


if __name__ == "__main__":
    main()
