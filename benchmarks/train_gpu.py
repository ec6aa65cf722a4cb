"""How fast CFAM trains: pairs a second, share of the chip's arithmetic, and the paper's whole training, beside two other loops.

    python benchmarks/train_gpu.py                      CFAM B/16, batches of 64, 384 x 128, 168 tokens
    python benchmarks/train_gpu.py --device cpu --tiny  a trial without a GPU, at sizes that mean nothing

Needs torch and transformers alone: the kit's training is imported from this checkout, weights and images are random. Beside
it, in the same run: a straightforward loop of the same model and losses (workers that decode with PIL, fp32 master weights
under autocast, no compilation, the loss read every step), and, where open_clip is installed, its own model and loss on
batches that already lie on the GPU.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "toolkit"))

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPConfig, CLIPModel

from ufine_kit.baseline.augment import MEAN, STD
from ufine_kit.baseline.batches import Source, draw, from_short_to_long
from ufine_kit.baseline.device import cached, half_precision
from ufine_kit.baseline.objective import Objective
from ufine_kit.baseline.optimise import optimiser_of, set_rate

PAIRS, EPOCHS = 37_154, 60  # UFine6926's train split, and the paper's training
VOCABULARY, END = 49_409, 49_407


def settings(tiny: bool, batch: int, compiled: bool) -> Any:
    """What the kit reads from a recipe, for CFAM B/16 as in recipes/cfam_b16.toml; or sizes for a trial."""
    losses = {"contrastive": 0.0, "sdm": 1.0, "tal": 0.0, "granularity": 1.0, "match": 1.0, "cross_identity": 1.0}
    losses |= {"identity": 0.0, "words": 0.0, "temperature": 0.02, "tal_temperature": 0.015, "tal_margin": 0.1}
    decoder = {"queries": 4, "width": 32, "blocks": 1, "heads": 2} if tiny else {}
    decoder = {"queries": 16, "width": 512, "blocks": 2, "heads": 8} | decoder
    return SimpleNamespace(
        seed=0, batch=batch, text_tokens=24 if tiny else 168, image_height_px=48 if tiny else 384,
        image_width_px=16 if tiny else 128, losses=SimpleNamespace(**losses), decoder=SimpleNamespace(**decoder),
        mask=0.12, replace=0.015, mirror=True, mirror_words=True, shift_px=10, erase=0.5, erase_most=0.4, brightness=0.0,
        contrast=0.0, compile=compiled, cache="auto", precision="auto", pretrained="random", learning_rate=1e-5,
        new_learning_rate=5e-5, weight_decay=0.0, beta2=0.999,
    )  # fmt: skip


def random_clip(tiny: bool, tokens: int) -> CLIPModel:
    """CLIP ViT-B/16 with random weights and room for long texts."""
    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 1}
    text = {"vocab_size": VOCABULARY, "max_position_embeddings": tokens, "eos_token_id": END}
    vision = {"patch_size": 16, "image_size": 48 if tiny else 224}
    return CLIPModel(
        CLIPConfig(
            text_config=text | (small if tiny else {}),
            vision_config=vision | (small if tiny else {}),
            projection_dim=32 if tiny else 512,
        )
    )


def random_source(table: Any, images: int, device: torch.device) -> Source:
    """Images and texts of no meaning, two captions an image, lengths as UFine6926 has them (30 to 168 tokens)."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (images, table.image_height_px, table.image_width_px, 3), dtype=np.uint8)
    lengths = np.clip(rng.normal(100, 25, (1, 2 * images)), 10, table.text_tokens).astype(np.int64).repeat(2, axis=0)
    ids = rng.integers(1, END - 1, (2, 2 * images, table.text_tokens), dtype=np.int32)
    ids[np.arange(table.text_tokens) >= lengths[:, :, None] - 1] = END
    offsets = np.arange(0, 2 * images + 1, 2)
    return Source(
        pixels=cached(torch.from_numpy(pixels), device, table.cache),
        people=torch.arange(images, device=device) // 4,
        ids=torch.from_numpy(ids).to(device),
        ordinary=np.arange(1, END - 1, dtype=np.int32),
        mask_id=VOCABULARY - 1,
        lengths=lengths,
        offsets=offsets,
        ranks=from_short_to_long(lengths[0], offsets),
        cut=0,
    )


Step = Callable[[int], object]


def kit_step(source: Source, table: Any, device: torch.device, compiled: bool) -> tuple[Step, Objective]:
    """The loop of `ufine-kit baseline-train`, one step at a time; how long texts are follows `table`, `compiled` or not."""
    objective = Objective(random_clip(table.image_height_px == 48, table.text_tokens), table, len(source.people) // 4)
    objective.to(device).train()
    optimiser = optimiser_of(objective, table)
    step_of = torch.compile(objective) if compiled else objective

    def step(number: int) -> None:
        drawn = draw(source, table, number)
        with torch.autocast(device.type, torch.bfloat16, enabled=half_precision(device, table.precision)):
            loss, _ = step_of(drawn.images, drawn.ids, drawn.people, drawn.told)
        loss.backward()
        set_rate(optimiser, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step, objective


class PilPairs(Dataset):
    """JPEG bytes decoded and augmented one by one in workers, as trainers of the field do."""

    def __init__(self, source: Source, table: Any) -> None:
        self.table, self.people = table, source.people.cpu()
        self.ids, self.kept = source.ids[0].cpu(), [jpeg(image) for image in source.pixels.cpu().numpy()]

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rng, table = np.random.default_rng(place), self.table
        size = table.image_width_px, table.image_height_px
        image = Image.open(io.BytesIO(self.kept[place])).convert("RGB").resize(size, Image.Resampling.BILINEAR)
        image = ImageOps.mirror(image) if rng.random() < 0.5 else image
        left, top = rng.integers(0, 21, 2).tolist()
        image = ImageOps.expand(image, 10).crop((left, top, left + size[0], top + size[1]))
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255 - torch.tensor(MEAN)[:, None, None]
        pixels = pixels / torch.tensor(STD)[:, None, None]
        if rng.random() < 0.5:
            pixels[:, size[1] // 4 : size[1] // 2, size[0] // 4 : size[0] // 2] = 0.0
        return pixels, self.ids[2 * place], self.people[place]


def jpeg(pixels: np.ndarray) -> bytes:
    """As a release holds it."""
    kept = io.BytesIO()
    Image.fromarray(pixels).save(kept, "JPEG", quality=95)
    return kept.getvalue()


def straightforward_step(source: Source, table: Any, device: torch.device, workers: int) -> Step:
    """The same model and losses in the loop that one would write first."""
    table = SimpleNamespace(**vars(table) | {"compile": False})
    objective = Objective(random_clip(table.image_height_px == 48, table.text_tokens), table, len(source.people) // 4)
    objective.to(device).train()
    optimiser = torch.optim.Adam([each for each in objective.parameters() if each.requires_grad], lr=1e-5)
    loader = DataLoader(PilPairs(source, table), table.batch, shuffle=True, num_workers=workers, drop_last=True)

    def batches() -> Iterator[Any]:
        while True:
            yield from loader

    endless = batches()

    def step(_: int) -> float:
        images, ids, people = (each.to(device) for each in next(endless))
        optimiser.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=half_precision(device, table.precision)):
            loss, _ = objective(images, ids, people)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def open_clip_step(table: Any, device: torch.device) -> Step | None:
    """open_clip's model and contrastive loss on batches that lie on the device; None where it is not installed."""
    try:
        import open_clip
    except ImportError:
        return None
    size = table.image_height_px, table.image_width_px
    model = open_clip.create_model("ViT-B-16", force_image_size=size, force_context_length=table.text_tokens).to(device)
    loss_of, optimiser = open_clip.ClipLoss(), torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    images = torch.randn(table.batch, 3, *size, device=device)
    ids = torch.randint(1, END, (table.batch, table.text_tokens), device=device)
    ids[:, -1] = END

    def step(_: int) -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=half_precision(device, table.precision)):
            seen, said, scale = model(images, ids)[:3]
            loss = loss_of(seen, said, scale)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


def seconds_a_step(step: Step, warm: int, steps: int, device: torch.device) -> float:
    """Wall time of a step, the device waited for at both ends alone."""
    wait = torch.cuda.synchronize if device.type == "cuda" else (lambda: None)
    for number in range(warm):
        step(number)
    wait()
    began = time.perf_counter()
    for number in range(warm, warm + steps):
        step(number)
    wait()
    return (time.perf_counter() - began) / steps


def flops_a_step(source: Source, table: Any, device: torch.device) -> int:
    """Multiplications and additions of one step, counted operator by operator, uncompiled and on texts of the same length."""
    step, _ = kit_step(source, table, device, compiled=False)
    with FlopCounterMode(display=False) as counter:
        step(0)
    return counter.get_total_flops()


def peak_flops(device: torch.device, side: int) -> float:
    """What a large matrix product reaches on this device, in the numbers of the loops: the 100 % of the utilisation."""
    kind = torch.bfloat16 if half_precision(device, "auto") else torch.float32
    a, b = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))
    return 2 * side**3 / seconds_a_step(lambda _: a @ b, 5, 20, device)


def told(seconds: float, batch: int, flops: int | None, peak: float) -> dict[str, float]:
    """The figures of one loop."""
    pairs = batch / seconds
    found = {"pairs_a_second": round(pairs, 1), "hours_of_60_epochs": round(EPOCHS * PAIRS / pairs / 3600, 2)}
    return found | ({"flop_utilisation": round(flops / seconds / peak, 3)} if flops else {})


def main() -> None:
    """Run every loop, print the table, keep the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="sizes for a trial")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--images", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--workers", type=int, default=8, help="of the straightforward loop")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--json", type=Path, help="keep the record here")
    given = parser.parse_args()
    device = torch.device(given.device)
    table = settings(given.tiny, given.batch, not given.no_compile and device.type == "cuda")
    source = random_source(table, given.images, device)
    flops, peak = flops_a_step(source, table, device), peak_flops(device, 512 if device.type == "cpu" else 8192)
    loops: dict[str, Any] = {}

    def measure(name: str, step: Step | None, own_flops: int | None) -> None:
        loops[name] = None
        if step is not None:
            loops[name] = told(seconds_a_step(step, 10, given.steps, device), given.batch, own_flops, peak)
        print(f"{name:16} {loops[name] or 'not installed'}", flush=True)

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    step, objective = kit_step(source, table, device, table.compile)
    measure("kit", step, flops)
    memory = torch.cuda.max_memory_allocated() if device.type == "cuda" else 0
    parameters = sum(each.numel() for each in objective.parameters() if each.requires_grad)
    del step, objective
    measure("straightforward", straightforward_step(source, table, device, given.workers), flops)
    measure("open_clip", None if given.tiny else open_clip_step(table, device), None)
    record = {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "tiny": given.tiny,
        "batch": given.batch,
        "image_px": [table.image_height_px, table.image_width_px],
        "text_tokens": table.text_tokens,
        "compiled": table.compile,
        "parameters": parameters,
        "flops_a_step": flops,
        "peak_flops_measured": peak,
        "peak_memory_bytes": memory,
        "loops": loops,
        "kit_over_straightforward": round(
            loops["kit"]["pairs_a_second"] / loops["straightforward"]["pairs_a_second"], 2
        ),
    }
    print(json.dumps(record, indent=2))
    if given.json:
        given.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
