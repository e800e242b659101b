"""Official clients behind one interface: a plain question in, what the SDK made of the answer out.

A question is a dictionary. `model` and `turns` are always there; the rest is what a scenario wants to try:

    turns       [{"role": "user", "text", "image", "document"} | {"role": "assistant", "text"}
                | {"role": "assistant", "native"} | {"role": "results", "results": [{"id", "name", "text"}]}]
    system, tools [{"name", "description", "schema"}], choice ("required", "none" or {"name"}), parallel, schema,
    max_tokens, stop, effort, temperature, top_p, top_k, seed, n, presence_penalty, frequency_penalty, logit_bias,
    stream, leave_after, key

An answer is a dictionary too: `text`, `texts` (of all candidates), `thoughts`, `calls` [{"id", "name", "arguments"}],
`stop` (stop, length or tools), `usage` {"input", "output", "total", "thoughts"}, `pieces` (how many pieces of text came),
`native` (the turn as this SDK wants it back), or `error` {"class", "status", "message", "param"}.

What a dialect has no parameter for is not asked: the driver answers {"unsayable": NAME}.
"""


class Unsayable(Exception):
    """The client's dialect has no parameter of this name."""


class Driver:
    """What the drivers share. `ERRORS` are the SDK's own exceptions."""

    ERRORS = ()
    # Of the question, what this dialect has no parameter for.
    UNSAYABLE = ()

    def ask(self, question):
        """Asks, and says what came back."""
        for name in self.UNSAYABLE:
            if name in question:
                return {"unsayable": name}
        try:
            return self.stream(question) if question.get("stream") else self.whole(question)
        except self.ERRORS as error:
            return {"error": self.error(error)}
