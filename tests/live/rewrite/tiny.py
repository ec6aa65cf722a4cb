"""Tiny language models with the chat templates of Qwen and of Llama 3, made on the spot and overfitted to fixed rewrites.

They know nothing but their pairs. What they prove is the road: template, server, sampler, checks, retries.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

QWEN = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA = (
    "<|begin_of_text|>{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
TOKENS = {
    "qwen": ("<|im_start|>", "<|im_end|>", "<|endoftext|>"),
    "llama": ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
}
END = {"qwen": "<|im_end|>", "llama": "<|eot_id|>"}
LENGTH = 512


def make(folder: Path, family: str, pairs: Sequence[tuple[str, str]], seed: int = 0, steps: int = 380) -> float:
    """Write a model that answers each prompt by its text, one with two texts by either; returns the last loss."""
    import torch

    torch.manual_seed(seed)
    tokenizer = tokenizer_of(family, [text for pair in pairs for text in pair])
    model = model_of(family, len(tokenizer), tokenizer)
    loss = train(model, tokenizer, pairs, steps, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return loss


def tokenizer_of(family: str, texts: Sequence[str]):
    """A byte-level BPE tokenizer of these texts with the family's chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    raw.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=1600, special_tokens=list(TOKENS[family]), initial_alphabet=alphabet)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=END[family], pad_token=END[family])
    tokenizer.chat_template = QWEN if family == "qwen" else LLAMA
    return tokenizer


def model_of(family: str, vocabulary: int, tokenizer):
    """Two layers of width 96 with heads of 32: vLLM's attention on CPU takes no narrower ones."""
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    config, model = (Qwen2Config, Qwen2ForCausalLM) if family == "qwen" else (LlamaConfig, LlamaForCausalLM)
    return model(
        config(
            vocab_size=vocabulary, hidden_size=96, intermediate_size=192, num_hidden_layers=2, num_attention_heads=3,
            num_key_value_heads=3, max_position_embeddings=LENGTH, tie_word_embeddings=False,
            eos_token_id=tokenizer.eos_token_id, bos_token_id=None, pad_token_id=tokenizer.eos_token_id,
        )
    )  # fmt: skip


def train(model, tokenizer, pairs: Sequence[tuple[str, str]], steps: int, seed: int) -> float:
    """Overfit; loss on the answers alone."""
    import torch

    rows = [_row(tokenizer, prompt, answer) for prompt, answer in pairs]
    longest = max(len(ids) for ids, _ in rows)
    assert longest <= LENGTH
    ids = torch.full((len(rows), longest), tokenizer.eos_token_id)
    labels = torch.full((len(rows), longest), -100)
    for at, (row, start) in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
        labels[at, start : len(row)] = torch.tensor(row[start:])
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    order = torch.Generator().manual_seed(seed)
    model.train()
    loss = torch.zeros(())
    for _ in range(steps):
        batch = torch.randperm(len(rows), generator=order)[:16]
        loss = model(input_ids=ids[batch], labels=labels[batch]).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return loss.item()


def _row(tokenizer, prompt: str, answer: str) -> tuple[list[int], int]:
    message = [{"role": "user", "content": prompt}]
    start = tokenizer.apply_chat_template(message, add_generation_prompt=True, tokenize=False)
    before = tokenizer.encode(start, add_special_tokens=False)
    after = tokenizer.encode(answer + tokenizer.eos_token, add_special_tokens=False)
    return before + after, len(before)
