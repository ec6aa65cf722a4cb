"""A tiny CLIP as others publish it: old configuration, its end token as padding, square images, no mask token."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

WORDS = [
    "a man in a red coat",
    "a woman with a blue bag on the left",
    "black shoes and a grey hat",
    "number 0 1 2 3 4 5",
]
POSITIONS, END_TEXT = 12, "<|endoftext|>"


def write_cliplike(folder: Path, seed: int = 0, **saving: object) -> Path:
    """As OpenAI's on the Hub: special tokens have the highest ids, and `eos_token_id` is 2, which no text ever holds."""
    tokenizer = _tokenizer()
    shared = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 2}
    text = shared | {"vocab_size": len(tokenizer), "max_position_embeddings": POSITIONS, "eos_token_id": 2}
    config = CLIPConfig(text_config=text, vision_config=shared | {"image_size": 32, "patch_size": 8}, projection_dim=24)
    torch.manual_seed(seed)
    CLIPModel(config).save_pretrained(folder, **saving)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer() -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    bpe.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe.train_from_iterator(WORDS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False))
    bpe.add_special_tokens(["<|startoftext|>", END_TEXT])
    ends = [(name, bpe.token_to_id(name)) for name in ("<|startoftext|>", END_TEXT)]
    bpe.post_processor = processors.TemplateProcessing(single=f"<|startoftext|> $A {END_TEXT}", special_tokens=ends)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token="<|startoftext|>",
        eos_token=END_TEXT,
        pad_token=END_TEXT,
        model_max_length=POSITIONS,
    )
