"""The default model in PyTorch: DeepSeek-V3's architecture, written for training on few CPU cores.

The arithmetic is that of transformers' ``DeepseekV3ForCausalLM`` plus one multi-token-prediction (MTP) layer.
Documents of one batch lie behind one another in a flat token axis, in groups of equal padded length, so that
every linear layer sees one large matrix and attention never looks outside a document.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the network; the names are those of a Hugging Face ``config.json``."""

    vocab_size: int = 2560
    hidden_size: int = 256
    num_hidden_layers: int = 6
    num_attention_heads: int = 8
    q_lora_rank: int = 128
    kv_lora_rank: int = 64
    qk_nope_head_dim: int = 32
    qk_rope_head_dim: int = 32
    v_head_dim: int = 32
    intermediate_size: int = 512
    moe_intermediate_size: int = 128
    n_routed_experts: int = 8
    n_shared_experts: int = 1
    num_experts_per_tok: int = 2
    n_group: int = 4
    topk_group: int = 2
    first_k_dense_replace: int = 1
    routed_scaling_factor: float = 1.5
    rms_norm_eps: float = 1e-6
    rope_theta: float = 1000.0
    max_position_embeddings: int = 2048
    rope_factor: float = 4.0
    rope_original: int = 512
    rope_beta_fast: float = 32.0
    rope_beta_slow: float = 1.0
    rope_mscale: float = 1.0
    rope_mscale_all_dim: float = 1.0

    @property
    def qk_head_dim(self) -> int:
        return self.qk_nope_head_dim + self.qk_rope_head_dim


@dataclass
class Batch:
    """Tokens of several documents: groups of ``count`` rows of ``length`` tokens in one flat axis."""

    tokens: Tensor
    positions: Tensor
    groups: list[tuple[int, int]]
    targets: Tensor
    weights: Tensor | None = None
    with_mtp: bool = False


def yarn_frequencies(config: ModelConfig) -> Tensor:
    """Inverse frequencies of the rotary embedding after YaRN's interpolation."""
    dim, base = config.qk_rope_head_dim, config.rope_theta
    extrapolated = 1.0 / base ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    interpolated = extrapolated / config.rope_factor

    def correction(rotations: float) -> float:
        return dim * math.log(config.rope_original / (rotations * 2 * math.pi)) / (2 * math.log(base))

    low = max(math.floor(correction(config.rope_beta_fast)), 0)
    high = min(math.ceil(correction(config.rope_beta_slow)), dim - 1)
    span = high - low if high != low else 0.001
    ramp = ((torch.arange(dim // 2, dtype=torch.float32) - low) / span).clamp(0, 1)
    return interpolated * ramp + extrapolated * (1 - ramp)


def softmax_scale(config: ModelConfig) -> float:
    """Attention scale with YaRN's magnitude correction."""
    m = 0.1 * config.rope_mscale_all_dim * math.log(config.rope_factor) + 1.0
    return config.qk_head_dim ** -0.5 * m * m


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Interleaved rotary embedding on the last axis; the result is in half-split order for queries and keys alike."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.cat((even * cos - odd * sin, odd * cos + even * sin), dim=-1)


class FastNorm(torch.autograd.Function):
    """Root-mean-square normalisation with few passes over memory."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        scale = (norm.square_().div_(x.shape[-1]).add_(eps)).rsqrt_().to(x.dtype)
        normal = x * scale
        ctx.save_for_backward(normal, scale, weight)
        return normal * weight.to(x.dtype)

    @staticmethod
    def backward(ctx, grad: Tensor):
        normal, scale, weight = ctx.saved_tensors
        product = grad * normal
        weight_grad = product.sum(0, dtype=torch.float32)
        mean = (product @ weight.to(grad.dtype)[:, None]).div_(grad.shape[-1])
        return (grad * weight.to(grad.dtype)).addcmul_(normal, mean, value=-1).mul_(scale), weight_grad, None


class WeightedLoss(torch.autograd.Function):
    """Weighted sum of cross entropies; the gradient is computed in the forward pass, in place."""

    @staticmethod
    def forward(ctx, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        rows = torch.arange(len(targets), device=logits.device)
        x = logits.float()
        x = x - x.amax(1, keepdim=True)
        chosen = x[rows, targets]
        x.exp_()
        total = x.sum(1)
        losses = total.log() - chosen
        x.mul_((weights / total)[:, None])
        x[rows, targets] -= weights
        ctx.save_for_backward(x.to(logits.dtype))
        return (losses * weights).sum()

    @staticmethod
    def backward(ctx, grad: Tensor):
        (gradient,) = ctx.saved_tensors
        return gradient * grad, None, None


class Norm(nn.Module):
    """Root-mean-square normalisation."""

    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype == torch.bfloat16:
            return FastNorm.apply(x, self.weight, self.eps)
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


class Linear(nn.Module):
    """A bias-free linear layer in the precision of its input."""

    def __init__(self, inputs: int, outputs: int, scale: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * (scale * inputs ** -0.5))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype))


class Attention(nn.Module):
    """Multi-head latent attention in its naive (decompressed) form."""

    def __init__(self, c: ModelConfig):
        super().__init__()
        self.c = c
        self.q_a_proj = Linear(c.hidden_size, c.q_lora_rank)
        self.q_a_layernorm = Norm(c.q_lora_rank, c.rms_norm_eps)
        self.q_b_proj = Linear(c.q_lora_rank, c.num_attention_heads * c.qk_head_dim)
        self.kv_a_proj_with_mqa = Linear(c.hidden_size, c.kv_lora_rank + c.qk_rope_head_dim)
        self.kv_a_layernorm = Norm(c.kv_lora_rank, c.rms_norm_eps)
        self.kv_b_proj = Linear(c.kv_lora_rank, c.num_attention_heads * (c.qk_nope_head_dim + c.v_head_dim))
        self.o_proj = Linear(c.num_attention_heads * c.v_head_dim, c.hidden_size, scale=0.5)
        self.scale = softmax_scale(c)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, normalised latents and rotated shared keys of flat tokens."""
        c = self.c
        q = self.q_b_proj(self.q_a_layernorm(self.q_a_proj(x))).view(-1, c.num_attention_heads, c.qk_head_dim)
        nope, rope = q.split((c.qk_nope_head_dim, c.qk_rope_head_dim), dim=-1)
        q = torch.cat((nope, rotate(rope, cos[:, None], sin[:, None])), dim=-1)
        latent, k_rope = self.kv_a_proj_with_mqa(x).split((c.kv_lora_rank, c.qk_rope_head_dim), dim=-1)
        return q, self.kv_a_layernorm(latent), rotate(k_rope, cos, sin)

    def expand(self, latent: Tensor, k_rope: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of every head from the latents."""
        c = self.c
        kv = self.kv_b_proj(latent).view(-1, c.num_attention_heads, c.qk_nope_head_dim + c.v_head_dim)
        k_nope, v = kv.split((c.qk_nope_head_dim, c.v_head_dim), dim=-1)
        k = torch.cat((k_nope, k_rope[:, None].expand(-1, c.num_attention_heads, -1)), dim=-1)
        return k, v

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, groups: list[tuple[int, int]]) -> Tensor:
        c = self.c
        q, latent, k_rope = self.project(x, cos, sin)
        k, v = self.expand(latent, k_rope)
        q = q * self.scale
        parts = []
        sizes = [count * length for count, length in groups]
        for (count, length), *rows in zip(groups, q.split(sizes), k.split(sizes), v.split(sizes)):
            shape = (count, length, c.num_attention_heads, -1)
            qg, kg, vg = (t.view(shape).transpose(1, 2) for t in rows)
            future = torch.full((length, length), float("-inf"), dtype=x.dtype, device=x.device).triu(1)
            # On a CPU the backward pass of these plain operations is faster than that of the fused attention.
            weights = (qg @ kg.transpose(-1, -2) + future).softmax(dim=-1)
            parts.append((weights @ vg).transpose(1, 2).reshape(count * length, -1))
        return self.o_proj(torch.cat(parts))


class DenseMLP(nn.Module):
    """SwiGLU feed-forward network."""

    def __init__(self, hidden: int, inner: int):
        super().__init__()
        self.gate_proj = Linear(hidden, inner)
        self.up_proj = Linear(hidden, inner)
        self.down_proj = Linear(inner, hidden, scale=0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Permute(torch.autograd.Function):
    """Rows gathered in expert order; the backward pass is a gather too, which is fast on a CPU."""

    @staticmethod
    def forward(ctx, x: Tensor, order: Tensor, inverse: Tensor, k: int) -> Tensor:
        ctx.save_for_backward(inverse)
        ctx.k = k
        return x.index_select(0, order // k)

    @staticmethod
    def backward(ctx, grad: Tensor):
        (inverse,) = ctx.saved_tensors
        rows = grad.index_select(0, inverse)
        return rows.view(-1, ctx.k, grad.shape[-1]).sum(1), None, None, None


class Restore(torch.autograd.Function):
    """Rows back from expert order to token order; the inverse of ``Permute``."""

    @staticmethod
    def forward(ctx, x: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(order)
        return x.index_select(0, inverse)

    @staticmethod
    def backward(ctx, grad: Tensor):
        (order,) = ctx.saved_tensors
        return grad.index_select(0, order), None, None


class MoE(nn.Module):
    """Routed experts with group-limited sigmoid routing and a selection bias, plus a shared expert."""

    def __init__(self, c: ModelConfig):
        super().__init__()
        self.c = c
        e, h, i = c.n_routed_experts, c.hidden_size, c.moe_intermediate_size
        self.gate = nn.Parameter(torch.randn(e, h) * h ** -0.5)
        self.register_buffer("bias", torch.zeros(e))
        self.register_buffer("load", torch.zeros(e))
        self.gate_up = nn.Parameter(torch.randn(e, 2, i, h) * h ** -0.5)
        self.down = nn.Parameter(torch.randn(e, h, i) * (0.5 * i ** -0.5))
        self.shared_experts = DenseMLP(h, i * c.n_shared_experts)

    def route(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Chosen experts and their weights for every token."""
        c = self.c
        scores = F.linear(x.float(), self.gate.float()).sigmoid()
        with torch.no_grad():
            choice = scores + self.bias
            grouped = choice.view(-1, c.n_group, c.n_routed_experts // c.n_group)
            top_groups = grouped.topk(2, dim=-1)[0].sum(-1).topk(c.topk_group, dim=-1, sorted=False)[1]
            closed = torch.ones(grouped.shape[:2], dtype=torch.bool, device=x.device).scatter_(1, top_groups, False)
            choice = grouped.masked_fill(closed[..., None], float("-inf")).flatten(1)
            experts = choice.topk(c.num_experts_per_tok, dim=-1, sorted=False)[1]
        weights = scores.gather(1, experts)
        weights = weights / (weights.sum(-1, keepdim=True) + 1e-20) * c.routed_scaling_factor
        return experts, weights

    def forward(self, x: Tensor) -> Tensor:
        k = self.c.num_experts_per_tok
        experts, weights = self.route(x)
        flat = experts.flatten()
        order = flat.argsort(stable=True)
        inverse = torch.empty_like(order)
        inverse[order] = torch.arange(order.numel(), device=order.device)
        counts = torch.bincount(flat, minlength=self.c.n_routed_experts)
        if self.training:
            self.load += counts
        rows = Permute.apply(x, order, inverse, k)
        gate_up, down = self.gate_up.to(x.dtype), self.down.to(x.dtype)
        outputs = []
        for e, part in enumerate(rows.split(counts.tolist())):
            gate, up = F.linear(part, gate_up[e].flatten(0, 1)).chunk(2, dim=-1)
            outputs.append(F.linear(F.silu(gate) * up, down[e]))
        routed = Restore.apply(torch.cat(outputs), order, inverse).view(-1, k, x.shape[-1])
        routed = (routed * weights[..., None].to(x.dtype)).sum(1)
        return routed + self.shared_experts(x)

    @torch.no_grad()
    def update_bias(self, speed: float) -> None:
        """Auxiliary-loss-free balancing: raises the bias of underused experts and lowers that of overused ones."""
        self.bias += speed * torch.sign(self.load.mean() - self.load)
        self.bias -= self.bias.min()
        self.load.zero_()


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, c: ModelConfig, dense: bool):
        super().__init__()
        self.input_layernorm = Norm(c.hidden_size, c.rms_norm_eps)
        self.self_attn = Attention(c)
        self.post_attention_layernorm = Norm(c.hidden_size, c.rms_norm_eps)
        self.mlp = DenseMLP(c.hidden_size, c.intermediate_size) if dense else MoE(c)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, groups: list[tuple[int, int]]) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, groups)
        return x + self.mlp(self.post_attention_layernorm(x))


class MTP(nn.Module):
    """Predicts the token after the next one from a hidden state and the next token's embedding."""

    def __init__(self, c: ModelConfig):
        super().__init__()
        self.enorm = Norm(c.hidden_size, c.rms_norm_eps)
        self.hnorm = Norm(c.hidden_size, c.rms_norm_eps)
        self.eh_proj = Linear(2 * c.hidden_size, c.hidden_size)
        self.layer = Layer(c, dense=False)
        self.norm = Norm(c.hidden_size, c.rms_norm_eps)

    def forward(self, hidden: Tensor, embedded: Tensor, cos: Tensor, sin: Tensor, groups) -> Tensor:
        x = self.eh_proj(torch.cat((self.enorm(embedded), self.hnorm(hidden)), dim=-1))
        return self.norm(self.layer(x, cos, sin, groups))


class DefaultModel(nn.Module):
    """The language model with its MTP layer."""

    def __init__(self, c: ModelConfig):
        super().__init__()
        self.c = c
        self.embed_tokens = nn.Embedding(c.vocab_size, c.hidden_size)
        nn.init.normal_(self.embed_tokens.weight, std=0.5)
        self.layers = nn.ModuleList(
            Layer(c, dense=i < c.first_k_dense_replace) for i in range(c.num_hidden_layers)
        )
        self.norm = Norm(c.hidden_size, c.rms_norm_eps)
        self.lm_head = Linear(c.hidden_size, c.vocab_size, scale=0.1)
        self.mtp = MTP(c)
        self.register_buffer("frequencies", yarn_frequencies(c), persistent=False)

    def angles(self, positions: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Cosines and sines of every position."""
        angle = positions.float()[:, None] * self.frequencies
        return angle.cos().to(dtype), angle.sin().to(dtype)

    def hidden(self, batch: Batch, dtype: torch.dtype) -> Tensor:
        """Hidden states before the final norm."""
        cos, sin = self.angles(batch.positions, dtype)
        x = self.embed_tokens(batch.tokens).to(dtype)
        for layer in self.layers:
            x = layer(x, cos, sin, batch.groups)
        return x

    def losses(self, batch: Batch, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
        """Cross entropy of the main head over the target positions (a weighted sum) and of the MTP head (a mean)."""
        x = self.hidden(batch, dtype)
        wanted = (batch.targets >= 0).nonzero().squeeze(1)
        logits = self.lm_head(self.norm(x.index_select(0, wanted)))
        weights = torch.ones(len(wanted)) if batch.weights is None else batch.weights[wanted]
        main = WeightedLoss.apply(logits, batch.targets[wanted], weights)
        return main, self.mtp_loss(batch, x, dtype) if batch.with_mtp else None

    def mtp_loss(self, batch: Batch, x: Tensor, dtype: torch.dtype) -> Tensor:
        """Mean loss of the MTP head."""
        tokens, targets, positions = batch.tokens, batch.targets, batch.positions
        following = torch.cat((tokens[1:], tokens[:1]))
        after = torch.cat((targets[1:], targets.new_full((1,), -1)))
        cos, sin = self.angles(positions, dtype)
        y = self.mtp(x, self.embed_tokens(following).to(dtype), cos, sin, batch.groups)
        wanted = ((after >= 0) & (torch.cat((positions[1:], positions[:1])) > 0)).nonzero().squeeze(1)
        logits = self.lm_head(y.index_select(0, wanted)).float()
        return F.cross_entropy(logits, after[wanted])
