"""Writes a tiny llama-architecture model with random weights: a real upstream without a download.

    python tiny_model.py OUT.gguf

The file is about half a megabyte and comes from a fixed seed. Its text is noise, but a llama.cpp server runs it
like any other model, and greedy answers (temperature 0) repeat byte for byte, which is what the tests need.
"""

import sys

import gguf
import numpy as np

SEED = 20_26
EMBEDDING = 64
HEADS = 4
LAYERS = 2
FEED_FORWARD = 128
# Long enough that a stream is still running when a test cuts it off.
CONTEXT_TOKENS_MAX = 65_536

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
TURN_START, TURN_END = "<|turn>", "<turn|>"
CONTROL_TOKENS = [UNKNOWN, BEGIN, END, TURN_START, TURN_END]

# What a chat turns into before it is tokenised. `content` may be a list of parts, as vision clients send it.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    + TURN_START
    + "{{ message.role }}\n{{ message.content }}"
    + TURN_END
    + "\n{% endfor %}{% if add_generation_prompt %}"
    + TURN_START
    + "assistant\n{% endif %}"
)


def vocabulary():
    """Control tokens, the 256 byte tokens that the tokenizer falls back on, and printable ASCII."""
    kinds = gguf.TokenType
    tokens = [(name, kinds.UNKNOWN if name == UNKNOWN else kinds.CONTROL, 0.0) for name in CONTROL_TOKENS]
    tokens += [(f"<0x{byte:02X}>", kinds.BYTE, 0.0) for byte in range(256)]
    # SentencePiece writes a space as U+2581.
    tokens += [("\u2581" if code == 32 else chr(code), kinds.NORMAL, -1.0) for code in range(32, 127)]
    return tokens


def describe(writer, tokens):
    """Everything in the file but the weights."""
    writer.add_name("tiny random model")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(CONTEXT_TOKENS_MAX)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(EMBEDDING // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text.encode() for text, _, _ in tokens])
    writer.add_token_types([kind for _, kind, _ in tokens])
    writer.add_token_scores([score for _, _, score in tokens])
    writer.add_unk_token_id(CONTROL_TOKENS.index(UNKNOWN))
    writer.add_bos_token_id(CONTROL_TOKENS.index(BEGIN))
    writer.add_eos_token_id(CONTROL_TOKENS.index(END))
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def weights(writer, tokens):
    """Random tensors. Control and byte tokens get small output rows, so that answers are readable text."""
    random = np.random.default_rng(SEED)

    def noise(rows, columns, scale):
        return (random.standard_normal((rows, columns)) * scale).astype(np.float32)

    unit = np.ones(EMBEDDING, dtype=np.float32)
    writer.add_tensor("token_embd.weight", noise(len(tokens), EMBEDDING, 0.2))
    writer.add_tensor("output_norm.weight", unit)
    output = noise(len(tokens), EMBEDDING, 0.5)
    output[[kind != gguf.TokenType.NORMAL for _, kind, _ in tokens]] *= 0.02
    writer.add_tensor("output.weight", output)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        writer.add_tensor(block + "attn_norm.weight", unit)
        writer.add_tensor(block + "ffn_norm.weight", unit)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"{block}{name}.weight", noise(EMBEDDING, EMBEDDING, 0.2))
        for name in ("ffn_gate", "ffn_up"):
            writer.add_tensor(f"{block}{name}.weight", noise(FEED_FORWARD, EMBEDDING, 0.2))
        writer.add_tensor(block + "ffn_down.weight", noise(EMBEDDING, FEED_FORWARD, 0.2))


def make(path):
    """Writes the model to `path`."""
    writer = gguf.GGUFWriter(path, "llama")
    tokens = vocabulary()
    describe(writer, tokens)
    weights(writer, tokens)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make(sys.argv[1])
