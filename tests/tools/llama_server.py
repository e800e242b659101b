"""A real llama.cpp server on a given model, on loopback, until it is told to stop.

    python llama_server.py MODEL.gguf

Prints `listening on URL` once it answers. Serves chat, completions, responses and embeddings under `/v1`.
"""

import signal
import sys

import xllamacpp

SLOTS = 2
CONTEXT_TOKENS = 2 * 32_768


def parameters(model):
    """Settings under which the same greedy request always gives the same text."""
    settings = xllamacpp.CommonParams()
    settings.model.path = model
    settings.model_alias = {"tiny"}
    settings.hostnames = ["127.0.0.1"]
    settings.port = 0
    settings.n_parallel = SLOTS
    settings.n_ctx = CONTEXT_TOKENS
    settings.embedding = True
    settings.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    # A warm prompt cache changes the order of the sums, and with random weights that can change the text.
    settings.cache_prompt = False
    settings.warmup = False
    settings.ui = False
    settings.endpoint_slots = True
    settings.cpuparams.n_threads = 1
    settings.cpuparams_batch.n_threads = 1
    return settings


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    # Blocked before the server's threads exist, so that they inherit it and only sigwait() sees the signal.
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    server = xllamacpp.Server(parameters(sys.argv[1]))
    print(f"listening on {server.listening_address}", flush=True)
    signal.sigwait(stop)


if __name__ == "__main__":
    main()
