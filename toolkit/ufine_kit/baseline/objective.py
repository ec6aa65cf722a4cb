"""All losses of one batch behind one call: CLIP's features, the layers that only training needs, weights from the recipe."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional
from transformers import CLIPModel

from ufine_kit.baseline import losses
from ufine_kit.baseline.check import losses_of
from ufine_kit.baseline.decoder import GranularityDecoder, Matcher, PairClassifier, WordTeller, classifier
from ufine_kit.baseline.model import look, read_texts
from ufine_kit.baseline.processes import gathered, mean_of

# Where torch is not installed its classes have no type.
# pyright: reportUntypedBaseClass=false

if TYPE_CHECKING:
    from ufine_kit.tables import BaselineTable

UNTOLD = -100  # a place whose word was not masked


class Objective(nn.Module):
    """A CLIPModel and its losses. `clip` is what a checkpoint keeps; every other layer is there for training alone."""

    def __init__(self, clip: CLIPModel, table: BaselineTable, people: int) -> None:
        """`people` is the number of identities of the train split: the classifiers tell these apart."""
        super().__init__()
        self.clip = clip
        self.clip.logit_scale.requires_grad_(False)  # temperatures are fixed, as in the paper
        weights = losses_of(table)
        self.names = list(weights)  # the order of the parts that a call returns
        self.register_buffer("weights", torch.tensor(list(weights.values())), persistent=False)
        self.temperatures = table.losses
        self.told_share = min(1.0, 1.5 * (table.mask + table.replace))
        width, sizes = clip.config.projection_dim, table.decoder
        if self._any("granularity", "match"):
            self.decoder = GranularityDecoder(width, sizes.queries, sizes.width, sizes.blocks, sizes.heads)
        if self._any("match"):
            self.matcher = Matcher(sizes.width, sizes.blocks, sizes.heads)
        if self._any("cross_identity"):
            self.pairs = PairClassifier(width, people)
        if self._any("identity"):
            self.identity = classifier(width, people)
        if self._any("words"):
            text = clip.config.text_config
            self.words = WordTeller(width, text.vocab_size, sizes.blocks, text.num_attention_heads)

    def forward(
        self, images: torch.Tensor, ids: torch.Tensor, people: torch.Tensor, told: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The weighted sum [] and each loss [n] of this process's share of the batch.

        images [b, 3, H, W] normalised, ids [b, L], people [b]; told [b, L] holds the word under every mask, UNTOLD elsewhere.
        """
        seen, patches = look(self.clip, images)  # [b, D], [b, N, D]
        said, words, read = read_texts(self.clip, ids)  # [b, D], [b, L, D], [b, L]
        everyone = gathered(people)
        same = losses.same_person(people, everyone)
        with torch.autocast(images.device.type, enabled=False):
            seen, said = seen.float(), said.float()
            rows = similarities(seen, said)
            found = self._on_globals(rows, same)
            if self._any("identity"):
                each = [functional.cross_entropy(self.identity(side), people) for side in (seen, said)]
                found["identity"] = (each[0] + each[1]) / 2
            if self._any("cross_identity"):
                found["cross_identity"] = self._cross_identity(seen, said, rows, same, people)
        if self._any("granularity", "match"):
            found |= self._on_granularities(self.decoder(patches), self.decoder(words, read), same)
        if self._any("words"):
            assert told is not None
            found["words"] = self._tell(words, read, patches, told)
        parts = torch.stack([found[name].float() for name in self.names])
        return (self.weights * parts).sum(), parts.detach()

    def _any(self, *names: str) -> bool:
        return any(name in self.names for name in names)

    def _on_globals(self, rows: Rows, same: torch.Tensor) -> dict[str, torch.Tensor]:
        said = self.temperatures
        found: dict[str, torch.Tensor] = {}  # `dict[...]()` would break a compiled graph in two
        if self._any("contrastive"):
            found["contrastive"] = both(losses.contrastive, rows, same, said.temperature)
        if self._any("sdm"):
            found["sdm"] = both(losses.sdm, rows, same, said.temperature)
        if self._any("tal"):
            found["tal"] = both(losses.tal, rows, same, said.tal_temperature, said.tal_margin)
        return found

    def _on_granularities(
        self, images: torch.Tensor, texts: torch.Tensor, same: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """L_ls and L_m of representations [b, K, W]."""
        found: dict[str, torch.Tensor] = {}
        with torch.autocast(images.device.type, enabled=False):
            rows = similarities(images.float(), texts.float())
            if self._any("granularity"):
                found["granularity"] = both(losses.sdm, rows, same, self.temperatures.temperature)
        if self._any("match"):
            found["match"] = self._match(images, texts, rows, same)
        return found

    def _match(self, images: torch.Tensor, texts: torch.Tensor, rows: Rows, same: torch.Tensor) -> torch.Tensor:
        """L_m: b pairs, each image with its hardest text, each text with its hardest image: 3b judgements."""
        (text, has_text), (image, has_image) = (losses.hardest(each, same) for each in rows)
        left = torch.cat([images, images, gathered(images)[image]])
        right = torch.cat([texts, gathered(texts)[text], texts])
        logits = self.matcher(left, right).float()
        matched = torch.zeros_like(logits)
        matched[: len(images)] = 1
        counted = torch.cat([torch.ones_like(has_text), has_text, has_image])
        return mean_of(losses.matching(logits, matched, counted).sum(), counted.sum())

    def _cross_identity(
        self, images: torch.Tensor, texts: torch.Tensor, rows: Rows, same: torch.Tensor, people: torch.Tensor
    ) -> torch.Tensor:
        """L_cid: the same 3b pairs, mined by the global features that it judges; both orders of a pair, the mean of the two."""
        (text, has_text), (image, has_image) = (losses.hardest(each, same) for each in rows)
        left = torch.cat([images, images, gathered(images)[image]])
        right = torch.cat([texts, gathered(texts)[text], texts])
        wrong = torch.full_like(people, self.pairs.mismatch)
        labels = torch.cat([people, wrong, wrong])
        counted = torch.cat([torch.ones_like(has_text), has_text, has_image])
        each = [functional.cross_entropy(logits, labels, reduction="none") for logits in self.pairs(left, right)]
        return mean_of(((each[0] + each[1]) / 2 * counted).sum(), counted.sum())

    def _tell(self, words: torch.Tensor, read: torch.Tensor, patches: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """Masked words: as many places of every text as are masked at most, so that no step waits for a count."""
        places = (told != UNTOLD).float().topk(max(1, math.ceil(self.told_share * told.shape[1])), dim=1).indices
        labels = told.take_along_dim(places, dim=1)
        logits = self.words(words, read, patches, places).float()
        total = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=UNTOLD, reduction="sum")
        return mean_of(total, (labels != UNTOLD).sum())


Rows = tuple[torch.Tensor, torch.Tensor]  # [b, B] images to texts, [b, B] texts to images


def similarities(images: torch.Tensor, texts: torch.Tensor) -> Rows:
    """Cosines of this process's rows [b, D] to the whole batch's.

    For representations [b, K, W] the mean of the K cosines of equal place: UFineBench, eq. 4.
    """
    images, texts = (functional.normalize(side, dim=-1) for side in (images, texts))
    if images.ndim == 3:
        scale = images.shape[1] ** -0.5
        images, texts = (side.flatten(1) * scale for side in (images, texts))
    return images @ gathered(texts).T, texts @ gathered(images).T


def both(loss: losses.Loss, rows: Rows, same: torch.Tensor, *settings: float) -> torch.Tensor:
    """Images to texts plus texts to images, added and not averaged, as IRRA does."""
    return loss(rows[0], same, *settings) + loss(rows[1], same, *settings)
