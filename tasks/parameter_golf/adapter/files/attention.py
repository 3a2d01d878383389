"""Causal attention over (batch, tokens, heads, width): FlashAttention 3 where it is installed, else PyTorch's."""

import torch.nn.functional as F

try:
    from flash_attn_interface import flash_attn_func
except ImportError:
    flash_attn_func = None


def attend(q, k, v, causal=True):
    """Keys and values may have fewer heads than queries; their types may differ."""
    if flash_attn_func is not None:
        return flash_attn_func(q, k, v, causal=causal)
    q, k, v = q.to(v.dtype).transpose(1, 2), k.to(v.dtype).transpose(1, 2), v.transpose(1, 2)
    return F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True).transpose(1, 2)
