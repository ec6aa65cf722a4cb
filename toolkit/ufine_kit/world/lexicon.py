"""The words people use for what they see: synonyms of every kind, colour and pattern of the world."""

from __future__ import annotations

SYNONYMS: dict[str, tuple[str, ...]] = {
    # colours
    "grey": ("grey", "gray"),
    "burgundy": ("burgundy", "dark red"),
    "navy": ("navy", "navy blue", "dark blue"),
    "beige": ("beige", "light tan"),
    "blond": ("blond", "golden"),
    "auburn": ("auburn", "reddish-brown"),
    # clothes
    "t-shirt": ("t-shirt", "tee", "T-shirt"),
    "shirt": ("shirt", "button-up shirt"),
    "sweater": ("sweater", "jumper", "pullover"),
    "hoodie": ("hoodie", "hooded sweatshirt"),
    "vest top": ("tank top", "vest top"),
    "jacket": ("jacket",),
    "coat": ("long coat", "coat"),
    "blazer": ("blazer", "suit jacket"),
    "padded vest": ("padded vest", "quilted vest"),
    "trousers": ("trousers", "pants"),
    "sweatpants": ("sweatpants", "jogging pants"),
    "leggings": ("leggings", "tight leggings"),
    "sneakers": ("sneakers", "sports shoes", "trainers"),
    "leather shoes": ("leather shoes", "dress shoes"),
    "canvas shoes": ("canvas shoes", "canvas sneakers"),
    # worn and carried
    "cap": ("cap", "baseball cap"),
    "beanie": ("beanie", "knitted hat"),
    "sun hat": ("sun hat", "wide-brimmed hat"),
    "sunglasses": ("sunglasses", "dark glasses"),
    "glasses": ("glasses", "eyeglasses"),
    "crossbody bag": ("crossbody bag", "messenger bag"),
    "backpack": ("backpack", "rucksack"),
    "phone": ("mobile phone", "phone", "smartphone"),
    "paper cup": ("paper cup", "coffee cup"),
    "shopping bag": ("shopping bag", "carrier bag"),
    "umbrella": ("folded umbrella", "closed umbrella"),
    "bottle": ("bottle", "drinking bottle"),
    # people
    "slim": ("slim", "slender"),
    "medium": ("average", "medium"),
    "sturdy": ("sturdy", "stocky"),
    "elderly": ("elderly", "older"),
    "man": ("man", "man", "male"),
    "woman": ("woman", "woman", "lady"),
}

HAIR_STYLES: dict[str, tuple[str, ...]] = {
    "straight": ("straight",),
    "curly": ("curly",),
    "ponytail": ("tied back in a ponytail", "gathered into a ponytail", "worn in a ponytail"),
    "bun": ("pinned up in a bun", "tied up in a bun", "worn in a bun"),
}

PLACES: dict[str, tuple[str, ...]] = {
    "street": ("on a street", "beside a building", "along a pavement"),
    "hall": ("inside a hall", "indoors", "across a hall floor"),
    "park": ("in a park", "in front of some trees", "along a park path"),
    "station": ("in a station", "in front of a tiled wall", "on a platform"),
    "square": ("on a square", "in front of some buildings", "across an open square"),
}

PLURAL = frozenset(
    {
        "trousers",
        "jeans",
        "leggings",
        "sweatpants",
        "shorts",
        "sneakers",
        "leather shoes",
        "boots",
        "sandals",
        "canvas shoes",
        "glasses",
        "sunglasses",
    }
)


def article(phrase: str) -> str:
    """The phrase with `a` or `an`."""
    return f"{'an' if phrase[:1].lower() in 'aeiou' else 'a'} {phrase}"
