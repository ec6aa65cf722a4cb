"""The sentence banks of the world's texts: forms for every item and style, and the posture and absence of things.

Slots: {S} the subject at the start of a sentence, {p} and {P} the pronoun, {his} and {His} the possessive, {np} the
noun phrase.
"""

from __future__ import annotations

from ufine_kit.world.phrasing import Known, Voice

MAIN: dict[str, dict[str, tuple[str, ...]]] = {
    "plain": {
        "hair": ("{S} has {np}",),
        "headwear": ("{S} wears {np} on {his} head", "{S} is wearing {np}"),
        "glasses": ("{S} wears {np}", "{S} has {np} on"),
        "upper": ("{S} is wearing {np}", "{S} wears {np} on {his} upper body", "On the upper body {p} wears {np}"),
        "outer": ("Over it {p} wears {np}", "{S} has {np} on top of it", "{S} also wears {np} over it"),
        "lower": ("{S} wears {np}", "On the lower body {p} wears {np}", "{S} is also wearing {np}"),
        "shoes": ("{S} wears {np} on {his} feet", "On {his} feet {p} has {np}", "{S} has {np} on"),
        "bag": ("{S} carries {np} {where}", "{S} has {np} {where}"),
        "carried": ("{S} holds {np} in {his} {hand} hand", "In {his} {hand} hand {p} has {np}"),
        "posture": ("{S} is {np}",),
    },
    "flowing": {
        "hair": ("{His} head shows {np}", "One sees {np} on {his} head", "{S} has {np}, easy to see here"),
        "headwear": ("{His} head is covered by {np}", "{S} keeps {np} on {his} head"),
        "glasses": ("{S} looks through {np}", "{S} has put on {np}"),
        "upper": (
            "{S} is dressed in {np}",
            "For the upper body {p} has chosen {np}",
            "{His} upper body is covered by {np}",
        ),
        "outer": ("Over that hangs {np}", "{S} has thrown {np} over it", "Over this layer {p} has put on {np}"),
        "lower": ("Further down {p} is wearing {np}", "This goes together with {np}", "Below that {p} wears {np}"),
        "shoes": ("{S} has slipped into {np}", "{His} feet are in {np}", "Down on the feet {p} has {np}"),
        "bag": ("With {p_obj} goes {np}, carried {where}", "{S} has taken along {np}, which is {where}"),
        "carried": ("{His} {hand} hand holds {np}", "{S} keeps {np} in {his} {hand} hand"),
        "posture": ("In this view {p} is {np}", "At this moment {p} is {np}"),
    },
    "llm": {
        "hair": ("{His} appearance is marked by {np}", "{S} can be recognized by {np}", "Notably, {p} has {np}"),
        "headwear": ("{His} head is topped with {np}", "Adding to the look, {p} wears {np}"),
        "glasses": ("{His} face is framed by {np}", "{S} is also seen wearing {np}"),
        "upper": (
            "{His} upper body is clad in {np}",
            "The outfit consists of {np} on the upper body",
            "{S} sports {np}",
        ),
        "outer": ("This is layered under {np}", "Layered over it is {np}", "An additional layer is provided by {np}"),
        "lower": ("{His} lower body is clad in {np}", "The outfit is paired with {np}", "The look continues with {np}"),
        "shoes": (
            "{His} footwear consists of {np}",
            "{S} completes the outfit with {np}",
            "The look is finished with {np}",
        ),
        "bag": ("{S} is accompanied by {np} {where}", "Among {his} accessories is {np} {where}"),
        "carried": ("Held in {his} {hand} hand is {np}", "{S} is observed holding {np} in {his} {hand} hand"),
        "posture": ("{S} is captured while {np}", "In terms of posture, {p} is {np}"),
    },
}

LABELS = {
    "person": "Person",
    "hair": "Hair",
    "headwear": "Head",
    "glasses": "Eyes",
    "upper": "Upper body",
    "outer": "Over it",
    "lower": "Lower body",
    "shoes": "Feet",
    "bag": "Bag",
    "carried": "In hand",
    "posture": "Posture",
}

BAG_PLACES = {
    "backpack": ("on {his} back", "on both shoulders"),
    "handbag": ("in {his} {side} hand", "held in the {side} hand"),
    "shoulder bag": ("on {his} {side} side", "hanging at {his} {side} hip"),
    "crossbody bag": ("across the body at {his} {side} hip", "on {his} {side} side with the strap across the chest"),
    "tote bag": ("over {his} {side} shoulder", "on {his} {side} side"),
}

ABSENT: dict[tuple[str, ...], tuple[str, ...]] = {
    ("headwear", "glasses"): (
        "{S} wears neither a hat nor glasses",
        "There is no hat and there are no glasses on {his} head",
    ),
    ("headwear",): ("{S} wears nothing on {his} head", "{His} head is uncovered"),
    ("glasses",): ("{S} does not wear glasses", "{S} has no glasses on"),
    ("bag",): ("{S} carries no bag", "No bag can be seen"),
}

PATTERN_MORE = {
    "horizontal stripes": ("{Second} stripes run across {the}", "{The} is crossed by {second} stripes"),
    "vertical stripes": ("{Second} stripes run down {the} from top to bottom",),
    "checks": ("{The} shows checks in {second}", "{Second} checks cover {the}"),
    "dots": ("Small {second} dots are spread all over {the}", "{The} is dotted in {second}"),
    "print": (
        "There is a print in {second} in the middle of the chest",
        "A picture in {second} is printed on the front of {the}",
    ),
    "colour block": ("The lower half of {the} is {second}", "{The} turns {second} from the chest downwards"),
    "side stripes": ("{Second} stripes run down the outside of the legs",),
}

SLEEVES_MORE = {
    "short": ("The sleeves end above the elbows", "Both forearms are bare below the short sleeves"),
    "long": ("The sleeves reach down to the wrists", "Long sleeves cover both arms"),
    "sleeveless": ("It leaves both arms bare", "It has no sleeves"),
}

LENGTH_MORE = {
    "short": ("The hem ends well above the knees", "The hem leaves the knees bare"),
    "knee-length": ("The hem ends about at the knees", "The fabric reaches down to the knees"),
    "cropped": ("The hem ends well above the ankles", "The fabric stops short of the ankles"),
    "full": ("The fabric covers the legs down to the ankles", "{His} legs are covered all the way down"),
}

BUILD_MORE = {
    "slim": ("{S} is of {word} build", "{His} figure is {word}"),
    "medium": ("{S} is of {word} build", "{His} build is {word}"),
    "sturdy": ("{S} is of {word} build", "{His} figure is {word}"),
}


def posture(voice: Voice, known: Known, his: str) -> str:
    """`walking away from the camera`, `standing in profile, turned to the left`."""
    facing, movement = known["facing"], known.get("movement")
    if facing in ("left", "right"):
        forms = {
            "walking": (f"walking to the {facing}", f"seen from the side, walking towards the {facing} of the picture"),
            "standing": (
                f"standing in profile, turned to the {facing}",
                f"standing still and looking to the {facing} of the picture",
            ),
            None: (f"seen from the side, turned to the {facing}",),
        }
    elif facing == "front":
        forms = {
            "walking": ("walking towards the camera", "coming forward, facing the camera"),
            "standing": ("standing and facing the camera", "standing still, turned to the camera"),
            None: ("facing the camera", "seen from the front"),
        }
    else:
        forms = {
            "walking": ("walking away from the camera", "seen from behind, walking away"),
            "standing": (f"standing with {his} back to the camera", "standing still, seen from behind"),
            None: ("seen from behind", f"turned with {his} back to the camera"),
        }
    return voice.choose(forms[movement])
