"""Initial weights with heads that copy, from which training starts.

Nearly every task of the default model copies: digits of operands, names of columns, fields of a record. A transformer copies with
two kinds of heads: some look a fixed distance back, and induction heads look for an earlier place whose preceding tokens
equal the last ones and take the token found there. Latent attention grows them late (a first run had not after 10 M
tokens): all heads share one short rotary key, nothing has a bias, and random embeddings share no direction from which a constant
key could come. So these heads are set by hand in the random initial weights; training may change all of it.

The residual stream starts divided like this: token embeddings in ``TOKEN``, a constant in ``CONSTANT``, images of the
tokens one, two and three places back in ``BACK``, and the image of the token to copy in ``COPY``.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from model import Attention, DefaultModel

WIDTH = 32  # size of an image of a token, of a head's value, and half of the latent
TOKEN, CONSTANT = slice(0, 127), 127
BACK = [slice(128 + WIDTH * i, 128 + WIDTH * (i + 1)) for i in range(3)]
COPY = slice(224, 256)
EMBEDDING_NORM, CONSTANT_VALUE = 8.0, 4.0
SHARPNESS = (8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 3.0, 2.0, 2.0, 1.0, 1.0)  # attention logits per rotary pair, highest frequency first
FADING = (1.0, 0.8, 0.6)  # weights of the tokens one, two and three places back in an induction key
INDUCTION_LAYERS = {1: 4.0, 3: 7.0}  # with the gain of their queries
STREAM_NORMS = (8.94, 13.4, 17.2, 19.0, 20.5, 22.0)  # of the residual stream before each layer


def set_offset_heads(attention: Attention, level: float, frequencies: Tensor, offsets: range) -> None:
    """Makes the first heads attend to fixed distances. ``level`` is the constant's value after normalisation."""
    c = attention.c
    sizes = (torch.tensor(SHARPNESS) / attention.scale).sqrt()
    count = len(sizes)
    query = attention.q_b_proj.weight.view(c.num_attention_heads, c.qk_head_dim, -1)
    key = attention.kv_a_proj_with_mqa.weight[c.kv_lora_rank :]
    attention.q_a_proj.weight[0] = 0
    attention.q_a_proj.weight[0, CONSTANT] = 3.0 / level
    query[:, c.qk_nope_head_dim :] *= 0.2
    query[:, :, 0] = 0
    key *= 0.2
    key[: 2 * count : 2, CONSTANT] = sizes / level
    for head, offset in enumerate(offsets):
        angle = -offset * frequencies[:count]
        rotated = torch.stack((angle.cos(), angle.sin()), dim=1) * sizes[:, None] / 3.0
        query[head] = 0
        query[head, c.qk_nope_head_dim : c.qk_nope_head_dim + 2 * count, 0] = rotated.flatten()


def set_images(attention: Attention, image: Tensor) -> None:
    """Makes the heads of the first layer carry images of tokens, the first three of them into ``BACK``."""
    c = attention.c
    down, up, output = attention.kv_a_proj_with_mqa.weight, attention.kv_b_proj.weight, attention.o_proj.weight
    down[:WIDTH] = 0
    down[:WIDTH, TOKEN] = image
    values = up.view(c.num_attention_heads, -1, c.kv_lora_rank)[:, c.qk_nope_head_dim :]
    output[128:] *= 0.3
    for head, place in enumerate(BACK):
        values[head] = 0
        values[head, :, :WIDTH] = torch.eye(WIDTH)
        columns = slice(head * WIDTH, (head + 1) * WIDTH)
        output[:, columns] = 0
        output[place, columns] = 0.7 * torch.eye(WIDTH)


def set_induction_heads(attention: Attention, image: Tensor, copied: Tensor, turns: list[Tensor], heads: range, gain: float) -> None:
    """Makes heads that match the last one, two and three tokens, and that write the image of the token found into ``COPY``."""
    c = attention.c
    down, up, output = attention.kv_a_proj_with_mqa.weight, attention.kv_b_proj.weight, attention.o_proj.weight
    down[: 2 * WIDTH] = 0
    for place, turn, weight in zip(BACK, turns, FADING):
        down[:WIDTH, place] = weight * turn
    down[WIDTH : 2 * WIDTH, TOKEN] = math.sqrt(2) * copied
    first = attention.q_a_proj.weight[1 : 1 + 3 * WIDTH]
    first.zero_()
    first[:WIDTH, TOKEN] = image
    for i, place in enumerate(BACK[:2]):
        first[(i + 1) * WIDTH : (i + 2) * WIDTH, place] = torch.eye(WIDTH)
    query = attention.q_b_proj.weight.view(c.num_attention_heads, c.qk_head_dim, -1)
    rows = up.view(c.num_attention_heads, -1, c.kv_lora_rank)
    for tokens, head in enumerate(heads, start=1):
        query[head] = 0
        for i in range(tokens):
            query[head, : c.qk_nope_head_dim, 1 + i * WIDTH : 1 + (i + 1) * WIDTH] = gain * FADING[i] * turns[i]
        rows[head] = 0
        rows[head, : c.qk_nope_head_dim, :WIDTH] = torch.eye(WIDTH)
        rows[head, c.qk_nope_head_dim :, WIDTH : 2 * WIDTH] = torch.eye(WIDTH)
        columns = slice(head * WIDTH, (head + 1) * WIDTH)
        output[:, columns] = 0
        output[COPY, columns] = 0.5 * torch.eye(WIDTH)


def random_turn() -> Tensor:
    """A random orthogonal matrix."""
    return torch.linalg.qr(torch.randn(WIDTH, WIDTH))[0]


@torch.no_grad()
def set_circuits(model: DefaultModel) -> None:
    """Sets the heads in freshly initialised weights; the model must have the default sizes."""
    c = model.c
    if (c.hidden_size, c.kv_lora_rank, c.v_head_dim, c.qk_nope_head_dim) != (256, 2 * WIDTH, WIDTH, WIDTH):
        raise ValueError(f"the initial heads fit a hidden size of 256, a latent of 64 and head sizes of 32, not {c}")
    embedding = model.embed_tokens.weight
    embedding[:, 127:] = 0
    embedding[:, TOKEN] *= EMBEDDING_NORM / embedding[:, TOKEN].norm(dim=1, keepdim=True)
    embedding[:, CONSTANT] = CONSTANT_VALUE
    image = torch.linalg.qr(torch.randn(127, WIDTH))[0].T
    copied = torch.linalg.qr(torch.randn(127, WIDTH))[0].T
    turns = [torch.eye(WIDTH), random_turn(), random_turn()]
    for i, layer in enumerate(model.layers):
        attention = layer.self_attn
        level = CONSTANT_VALUE / STREAM_NORMS[i] * math.sqrt(c.hidden_size)
        set_offset_heads(attention, level, model.frequencies, range(1, c.num_attention_heads + 1) if i == 0 else range(1, 2))
        if i == 0:
            set_images(attention, image)
        if i in INDUCTION_LAYERS:
            set_induction_heads(attention, image, copied, turns, range(1, 4), INDUCTION_LAYERS[i])
    images = embedding[:, TOKEN] @ copied.T
    model.lm_head.weight[:, COPY] = images / images.norm(dim=1, keepdim=True)
