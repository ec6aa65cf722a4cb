"""What CFAM puts on CLIP for training: granularity decoder, matcher, classifiers. Inference uses none of it."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

# Where torch is not installed its classes have no type.
# pyright: reportUntypedBaseClass=false

IDENTITY_DEVIATION = 0.001  # of a classifier's first weights, as in IRRA: all persons start equally likely
MLP_RATIO = 4


class Attention(nn.Module):
    """Multi-head attention of `queries` to `memory`, by torch's scaled-dot-product kernels."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask = nn.Linear(width, width)
        self.offer = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, queries: torch.Tensor, memory: torch.Tensor, read: torch.Tensor | None = None) -> torch.Tensor:
        """[B, Q, W] of queries [B, Q, W] and memory [B, L, W]; where `read` [B, L] is false nothing is attended."""
        asked = self._split(self.ask(queries))
        keys, values = (self._split(each) for each in self.offer(memory).chunk(2, dim=-1))
        mask = None if read is None else read[:, None, None, :]
        attended = functional.scaled_dot_product_attention(asked, keys, values, attn_mask=mask)
        return self.out(attended.transpose(1, 2).flatten(2))

    def _split(self, tokens: torch.Tensor) -> torch.Tensor:
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, H, L, W / H]


class Block(nn.Module):
    """A pre-norm transformer block: self-attention, cross-attention where there is a memory, two-layer perceptron."""

    def __init__(self, width: int, heads: int, cross: bool) -> None:
        super().__init__()
        self.self_norm, self.self_attention = nn.LayerNorm(width), Attention(width, heads)
        self.cross_norm = nn.LayerNorm(width) if cross else None
        self.cross_attention = Attention(width, heads) if cross else None
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, MLP_RATIO * width), nn.GELU(), nn.Linear(MLP_RATIO * width, width))

    def forward(
        self,
        tokens: torch.Tensor,
        memory: torch.Tensor | None = None,
        memory_read: torch.Tensor | None = None,
        tokens_read: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """[B, Q, W] of tokens [B, Q, W] and memory [B, L, W]; the two masks [B, L] and [B, Q] are true where it is read."""
        normed = self.self_norm(tokens)
        tokens = tokens + self.self_attention(normed, normed, tokens_read)
        if self.cross_norm is not None and self.cross_attention is not None:
            assert memory is not None
            tokens = tokens + self.cross_attention(self.cross_norm(tokens), memory, memory_read)
        return tokens + self.mlp(self.mlp_norm(tokens))


class GranularityDecoder(nn.Module):
    """K learnable queries read the tokens of an image or of a text (UFineBench, section 4.2); one decoder for both."""

    def __init__(self, features: int, queries: int, width: int, blocks: int, heads: int) -> None:
        super().__init__()
        # The tokens of ViT-L/14 have 768 numbers: one projection for both modalities, since the decoder is shared too.
        self.entrance = nn.Identity() if features == width else nn.Linear(features, width)
        self.memory_norm = nn.LayerNorm(width)
        self.queries = nn.Parameter(torch.randn(queries, width) * width**-0.5)
        self.blocks = nn.ModuleList(Block(width, heads, cross=True) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: torch.Tensor, read: torch.Tensor | None = None) -> torch.Tensor:
        """Representations [B, K, W] of tokens [B, L, D]; padding (`read` [B, L] false) is never attended."""
        memory = self.memory_norm(self.entrance(tokens))
        found = self.queries.expand(len(tokens), -1, -1)
        for block in self.blocks:
            found = block(found, memory, read)
        return self.norm(found)


class Matcher(nn.Module):
    """Do these two belong together? Self-attention over the representations of both, then a perceptron (section 4.3)."""

    def __init__(self, width: int, blocks: int, heads: int) -> None:
        super().__init__()
        self.sides = nn.Parameter(torch.randn(2, 1, width) * width**-0.5)  # which half is the image, which the text
        self.blocks = nn.ModuleList(Block(width, heads, cross=False) for _ in range(blocks))
        self.judge = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))

    def forward(self, images: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """Logits [n] of n pairs, each [n, K, W]."""
        pair = torch.cat([images + self.sides[0], texts + self.sides[1]], dim=1)  # [n, 2K, W]
        for block in self.blocks:
            pair = block(pair)
        return self.judge(pair.mean(dim=1)).squeeze(-1)


class PairClassifier(nn.Module):
    """Whose pair is this? One of M train persons, or class M: the two do not belong together (L_cid).

    M comes from the train split and never from the batch: the class of mismatches is no person's, in no batch.
    """

    def __init__(self, features: int, people: int) -> None:
        super().__init__()
        self.mismatch = people
        self.mlp = nn.Sequential(nn.LayerNorm(2 * features), nn.Linear(2 * features, features), nn.GELU())
        self.classify = classifier(features, people + 1)

    def forward(self, images: torch.Tensor, texts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits [n, M + 1] of pairs [n, D], the image first and the text first."""
        first, second = (torch.cat(order, dim=1) for order in ((images, texts), (texts, images)))
        return self.classify(self.mlp(first)), self.classify(self.mlp(second))


class WordTeller(nn.Module):
    """Which word was masked? Text tokens read the image's (IRRA's cross-modal interaction, with our blocks)."""

    def __init__(self, features: int, vocabulary: int, blocks: int, heads: int) -> None:
        super().__init__()
        self.memory_norm = nn.LayerNorm(features)
        self.blocks = nn.ModuleList(Block(features, heads, cross=True) for _ in range(blocks))
        self.tell = nn.Sequential(nn.LayerNorm(features), nn.Linear(features, vocabulary))

    def forward(
        self, words: torch.Tensor, read: torch.Tensor, patches: torch.Tensor, places: torch.Tensor
    ) -> torch.Tensor:
        """Logits [B, m, V] for `places` [B, m] of words [B, L, D], given patches [B, N, D]."""
        memory = self.memory_norm(patches)
        for block in self.blocks:
            words = block(words, memory, None, read)
        return self.tell(words.take_along_dim(places[:, :, None], dim=1))


def classifier(features: int, classes: int) -> nn.Linear:
    """A linear classifier that starts with no opinion."""
    layer = nn.Linear(features, classes)
    nn.init.normal_(layer.weight, std=IDENTITY_DEVIATION)
    nn.init.zeros_(layer.bias)
    return layer
