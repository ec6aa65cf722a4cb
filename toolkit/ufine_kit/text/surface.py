"""Rules that read the surface of one text: refusal, talk about the task or the picture, markup, unfinished sentences."""

from __future__ import annotations

import re

from ufine_kit.text.finding import Span
from ufine_kit.text.words import WORD

FLAGS = re.IGNORECASE
_DO = (
    "help|assist|provide|fulfil|fulfill|comply|generate|create|rewrite|reorgani[sz]e|rephrase|describe|identify|continue|do|answer|"
    "process|complete|participate|engage|share|produce|write|support|perform|discuss|proceed|see|view|access|accept|satisfy|offer|make|give|respond"
)
REFUSAL = re.compile(
    r"\b(?:I['’]?m|I am) (?:so |very |really |truly |terribly )?(?:sorry|afraid|unable|not able|not comfortable|not allowed|not permitted)\b"
    r"|^\W*(?:sorry|apologies|my apologies|i apologi[sz]e|regrettably)\b"
    r"|\bas an? (?:AI|artificial intelligence|(?:large )?language model|AI language model|assistant|virtual assistant)\b"
    rf"|\bI (?:can['’]?t|cannot|can not|won['’]?t|will not|could not|couldn['’]?t|don['’]t|do not) (?:\w+ )?(?:{_DO}|feel comfortable|have the ability|have access)\b"
    r"|\bI (?:must|have to|need to|will have to) (?:\w+ )?(?:decline|refuse|refrain)\b"
    r"|\bunable to (?:assist|help|comply|fulfil|fulfill|process|provide|complete|rewrite|reorgani[sz]e|generate)\b"
    r"|\b(?:against|violates?|violating) (?:my|our|the|openai['’]?s?) (?:\w+ )?(?:guidelines|polic(?:y|ies)|programming|principles|rules)\b"
    r"|\b(?:not appropriate|inappropriate|not ethical|unethical) (?:for me )?to (?:\w+ )?(?:describe|rewrite|reorgani[sz]e|provide|generate|comment|discuss)\b"
    r"|\b(?:can['’]?t|cannot|can not) (?:assist|help|comply) (?:you )?(?:with )?(?:this|that|the|your)\b"
    r"|\b(?:haven['’]t|have not|hasn['’]t|did not|didn['’]t) (?:been )?(?:provide[d]?|include[d]?|give[n]?) (?:me )?(?:with )?(?:a|any|the|an)? ?(?:original )?(?:description|text|image)\b"
    r"|\bplease (?:provide|share|paste|give me|send) (?:me )?(?:with )?(?:the|a|your|an) (?:\w+ )?(?:description|text|prompt|sentence|image)\b",
    FLAGS,
)
_MADE = r"(?:re-?organi[sz]ed|re-?written|re-?phrased|re-?worded|re-?structured|re-?arranged|paraphrased|revised|alternative|alternate|reformulated|modified|updated|edited|condensed|improved|polished|shorter|longer|new)"
_TEXT = r"(?:description|version|text|caption|sentence|paragraph|rewrite|passage|rendition|summary|output|response|answer|way)"
META = re.compile(
    r"^\W*(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|great|alright|all right|no problem|gladly|definitely|understood|got it|happy to help|yes)\b(?=\s*[!,.:;—–]|\s+-\s|\s+(?:here|i|let|so)\b)"
    rf"|^\W*(?:here(?:['’]s| is| are| you go| it is)|below (?:is|are)|the following is|this is) (?:an? |the |my |your |one |another )?(?:\w+ ){{0,3}}?{_TEXT}\b"
    r"|^\W*here(?:['’]s| is| are| you go)\b[^.\n]{0,80}:"
    rf"|\b{_MADE} {_TEXT}\b\W{{0,3}}(?::|is\b|of\b|that\b|above\b|below\b|\n)"
    r"|^\W*(?:description|caption|answer|output|response|rewrite|result|text|assistant|user|human|original|revised|rewritten|reorgani[sz]ed|paraphrase)\b(?: \w+)?\W{0,3}:"
    r"|\blet me know (?:if|whether|what|how|should)|\b(?:i )?hope (?:this|that|it) (?:helps|works|meets|is|suits|fits)|\bfeel free to\b"
    r"|(?:^|[.!?)\]]\s+|\n)\(?\**note\**(?: that)?\W{0,3}(?::|that\b|the\b|i\b)"
    rf"|\bthis (?:{_MADE} )?(?:version|rewrite|revision|rephrasing|reorgani[sz]ation|paraphrase|rendition)\b(?! of (?:the|his|her|a) (?!description|text|original|sentence|caption))"
    r"|\b(?:the|your|this|above|provided|given) (?:original|given|provided|input|source) (?:description|text|sentence|caption|paragraph|prompt|meaning|information|content)\b"
    r"|\bI(?:['’]ve| have| tried| kept| made| rewrote| reorgani[sz]ed| rephrased| rearranged| changed| will|['’]ll| would|['’]d)\b"
    r"|\b(?:would you like|do you want) (?:me|another|a|to)\b|\banything else\b|\bas (?:you )?requested\b|\bper your request\b"
    r"|\breorgani[sz]e the description\b|\bas long or as short as you like\b|\[original description\]"
    r"|(?:^|\n)\W*(?:option|version|alternative|variant|example) ?(?:\d+|[a-c]|one|two)?\W{0,3}:|\bword count\b|\(\d+ words\)|\b\d+ words\b"
    r"|\b(?:in|with) (?:my|your) own words\b|\bas an? (?:rewritten|reorgani[sz]ed)\b|\bto reorgani[sz]e\b|\bthe user\b|\bthe (?:request|task|instruction|prompt)s?\b|\bI need to\b|\blet['’]?s (?:see|think|start|rewrite)\b",
    FLAGS | re.MULTILINE,
)
_PICTURE = r"(?:image|picture|photo|photograph|photograph|snapshot|screenshot|footage|still|portrait|illustration|frame shot|figure shown)"
_SHOWS = r"(?:shows?|depicts?|displays?|features?|presents?|portrays?|captures?|illustrates?|contains?|reveals?|is of|includes?|showcases?|seems? to show|appears? to show|we (?:can )?see|provided|given)"
PICTURE_TALK = re.compile(
    rf"\b(?:the|this|that|given|provided|above|attached|an?) (?:\w+ )?{_PICTURE} (?:here |above |below |clearly |also |that )?{_SHOWS}\b"
    rf"|\b(?:in|from|within|throughout|based on|judging by) (?:the|this|that|each) (?:\w+ )?{_PICTURE}\b(?! (?:on|of|printed|frame))"
    rf"|\b(?:depicted|shown|seen|visible|pictured|captured|featured|displayed|portrayed|presented) in (?:the|this|an?) (?:\w+ )?{_PICTURE}\b"
    rf"|\b(?:this|it|here) is an? (?:\w+ )?(?:{_PICTURE}) (?:of|showing|depicting|with|that)\b"
    rf"|^\W*(?:an?|the) (?:\w+ ){{0,2}}{_PICTURE} (?:of|showing|depicting|featuring) (?:an?|the|this)\b"
    rf"|\b(?:background|rest|quality|foreground|subject|resolution|focus|content) of (?:the|this) {_PICTURE}\b"
    rf"|\b(?:the|this) {_PICTURE} (?:is|was|has|appears|seems)\b(?! taken)"
    r"|\bas (?:can be seen|you can see|we can see|is shown|i can see)\b|\b(?:we|you|one) can (?:clearly |also )?(?:see|observe|notice)\b"
    r"|\bI (?:can )?(?:see|observe|notice|think|believe|guess|would describe)\b|\bcamera (?:captures?|shows?)\b|\bthe subject of the\b",
    FLAGS,
)
BOILERPLATE_EXTRA = re.compile(
    r"\b(?:nothing|no) (?:else|more|other details?) (?:to (?:say|describe|add)|can be said)\b|\bsee (?:above|previous|the other)\b|\bsame as (?:above|before|the previous)\b"
    r"|\b(?:in conclusion|to sum up|in summary|to summari[sz]e)\b|\b(?:lorem ipsum)\b|\bdescribe the person\b|\bplease describe\b|\bN/A\b|\boverall,? the (?:image|picture|photo|description)\b",
    FLAGS,
)
_TAGS = r"p|br|hr|div|b|i|u|strong|em|ul|ol|li|span|h[1-6]|a|html|body|head|table|tr|td|th|code|pre|img|font|center|think|thinking|thought|reasoning|answer|output|response|s|bos|eos|pad|unk|mask|image|img|text|description|caption|start_of_turn|end_of_turn|tool_call|rewrite"
MARKUP = re.compile(
    rf"</?(?:{_TAGS})\b[^<>\n]{{0,200}}/?>|<\|[^|<>\n]{{1,40}}\|>|<｜[^｜<>\n]{{1,40}}｜>|\[/?INST\]|<</?SYS>>|\[(?:PAD|UNK|CLS|SEP|MASK|BOS|EOS)\]"
    r"|&(?:amp|nbsp|lt|gt|quot|apos|#\d{1,6}|#x[0-9a-f]{1,6});|\*\*|__(?=\w)|(?<=\w)__|```|`|(?:^|\n)[ \t]*#{1,6}[ \t]?\w|(?:^|\n)[ \t]*(?:[-*•‣▪]|\d{1,2}[.)])[ \t]+(?=\S)"
    r"|\]\((?:https?:|/|#|www\.)|(?:^|\n)[ \t]*(?:-{3,}|\*{3,}|={3,}|_{3,})[ \t]*(?:\n|$)|\|[ \t]*:?-{2,}|\\(?:n|t|boxed|text|u[0-9a-f]{4})\b|(?:^|\s)\*\w[^*\n]{0,80}\*(?=\W|$)|^\s*\*(?![*\s])[^*]{1,3000}\*\s*$|^\s*[{\[]\s*[\"'{]|~~|(?:^|\n)>\s",
    FLAGS,
)
QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»", "「": "」", "”": "”"}
CLOSERS = "\"'”’)]»」"
ENDINGS = ".!?。！？"
DANGLING = frozenset(
    "a an the and or but nor with without of in on at to from by for over under his her its their he she they it is are was were has have "
    "had wearing carrying holding that which who while as also very dark light black white red blue green grey gray brown yellow pink "
    "purple orange beige navy short long a pair into onto around across behind near between both one two this these those wears wear "
    "carries holds dressed paired featuring including such like than then so not no any some".split()
)


def spans(pattern: re.Pattern[str], text: str, limit: int = 5) -> tuple[Span, ...]:
    """The first few matches of a pattern as evidence."""
    found: list[Span] = []
    for match in pattern.finditer(text):
        found.append(Span(match.start(), match.end(), match.group()))
        if len(found) == limit:
            break
    return tuple(found)


# A pattern is only tried where one of its words occurs: the patterns are slow, nearly all texts hold none of these.
META_WORDS = frozenset(
    "sure certainly course absolutely okay ok great alright problem gladly definitely understood got happy yes here here's here’s description "
    "version text caption sentence paragraph rewrite passage rendition summary output response answer result assistant user human original "
    "revised rewritten paraphrase paraphrased rephrased reworded reorganized reorganised know hope free note i i've i'll i'd would want else "
    "requested request requests reorganize reorganise like option alternative variant example count words own prompt task instruction need "
    "let's lets revision rephrasing paraphrasing information content meaning source input i’ve i’ll i’d helps rearranged restructured".split()
)
REFUSAL_WORDS = frozenset(
    "i i'm i’m sorry apologies apologize apologise regrettably ai assistant model unable guidelines policy policies programming principles "
    "rules appropriate inappropriate unethical ethical please provided provide haven't haven’t include included help assist comply".split()
)
PICTURE_WORDS = frozenset(
    "image picture photo photograph snapshot screenshot footage still portrait illustration frame figure see seen camera observe notice "
    "think believe guess describe subject shown i one we you".split()
)
EXTRA_WORDS = frozenset("else more details detail above previous before other conclusion sum summary summarize lorem describe n overall same".split())


def speaks_of(text: str, wanted: frozenset[str]) -> bool:
    """Whether any of the words occurs."""
    return not wanted.isdisjoint(WORD.findall(text.lower()))


def refusal(text: str) -> tuple[Span, ...]:
    """Words in which a model declines; a description never speaks of `I`."""
    return spans(REFUSAL, text) if speaks_of(text, REFUSAL_WORDS) else ()


def meta(text: str) -> tuple[Span, ...]:
    """Words about the task: openings, notes, offers, headings, echo of the prompt."""
    return spans(META, text) if ":" in text or speaks_of(text, META_WORDS) else ()


def picture_talk(text: str) -> tuple[Span, ...]:
    """`The image shows`, `in this photo`; a picture printed on clothes is none."""
    if not speaks_of(text, PICTURE_WORDS):
        return ()
    return tuple(span for span in spans(PICTURE_TALK, text) if not on_clothes(text, span))


PRINTED = re.compile(r"\b(?:printed|on (?:the|his|her|it|its)|of an?|with an?|t-?shirt|shirt|jacket|bag|sweater|logo|cartoon)\W*$", FLAGS)
ON_GARMENT = re.compile(r"^\W*(?:of an? \w+ )?(?:printed |embroidered )?(?:on|across) (?:the|his|her|its|their) (?:\w+ ){0,3}?(?:t-?shirt|shirt|jacket|bag|back|chest|front|sweater|hoodie|dress|top|vest|hat|cap)", FLAGS)


def on_clothes(text: str, span: Span) -> bool:
    """Whether picture words speak of a print: `with a picture showing a bear`, `the image on her shirt`."""
    before = text[max(0, span.start - 24) : span.start]
    start_of_sentence = re.search(r"(?:^|[.!?]\s)\W*$", text[: span.start][-3:]) is not None or span.start == 0
    if ON_GARMENT.match(text[span.end : span.end + 60]):
        return True
    return not start_of_sentence and re.match(r"an? ", span.text, FLAGS) is not None and PRINTED.search(before) is not None or (
        re.match(r"an? ", span.text, FLAGS) is not None and re.search(r"\b(?:with|has|bears?|bearing|and|prints?|features?)\W*$", before, FLAGS) is not None
    )


def boilerplate(text: str) -> tuple[Span, ...]:
    """All talk about picture, task or model in a description."""
    extra = spans(BOILERPLATE_EXTRA, text) if speaks_of(text, EXTRA_WORDS) else ()
    return picture_talk(text) + extra + meta(text) + refusal(text)


def markup(text: str) -> tuple[Span, ...]:
    """Tags, Markdown, special tokens, entities, list marks, and quotes around the whole text."""
    found = spans(MARKUP, text)
    stripped = text.strip()
    if len(stripped) > 2 and QUOTES.get(stripped[0]) == stripped[-1] and stripped[0] not in stripped[1:-1]:
        at = text.index(stripped[0])
        found += (Span(at, at + len(stripped), stripped),)
    return found


def truncated(text: str, source: str = "") -> tuple[Span, ...]:
    """An end without a closing mark: always where the last word cannot end a sentence, else where the source has the mark."""
    stripped = text.rstrip()
    if not stripped:
        return (Span(0, 0, ""),)
    bare = stripped.rstrip(CLOSERS + "*_`")
    last = re.search(r"[^\W_]+(?:[-'’][^\W_]+)*\W*$", stripped[-60:])
    tail = Span(len(stripped) - len(last.group()) if last else len(stripped) - 1, len(stripped), last.group() if last else stripped[-1])
    if bare.endswith(("...", "…", "..")):
        return (tail,)
    word = last.group().strip().rstrip(".!?,;:").lower() if last else ""
    if bare and bare[-1] in ENDINGS:
        return (tail,) if word in HARD_DANGLING else ()
    ended = source.rstrip().rstrip(CLOSERS)[-1:] in tuple(ENDINGS) if source.strip() else True
    if bare[-1:] in ",;:-–—(/&" or word in DANGLING or ended:
        return (tail,)
    return ()


HARD_DANGLING = frozenset("a an the and or with of his her wearing while which".split())


def strip_mechanical(text: str) -> tuple[str, list[str]]:
    """Remove what can go without touching the description: reasoning blocks, special tokens, an opening line, outer quotes.

    Gives the rest and what was removed, in order. The caller keeps the raw text and checks the rest again.
    """
    removed: list[str] = []
    rest = text
    for pattern in (THINKING, SPECIAL, OPENING, CLOSING, BOLD):
        while (match := pattern.search(rest)) is not None:
            removed.append(match.group().strip())
            rest = rest[: match.start()] + (match.group("keep") if "keep" in pattern.groupindex else "") + rest[match.end() :]
    rest = rest.strip()
    if len(rest) > 2 and QUOTES.get(rest[0]) == rest[-1] and rest[0] not in rest[1:-1]:
        removed.append(rest[0] + rest[-1])
        rest = rest[1:-1].strip()
    return rest, removed


THINKING = re.compile(r"<think(?:ing)?>(?:(?!</think).)*</think(?:ing)?>\s*|^(?:(?!</?think).)*</think(?:ing)?>\s*", FLAGS | re.DOTALL)
SPECIAL = re.compile(r"<\|[^|<>\n]{1,40}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>", FLAGS)
OPENING = re.compile(
    r"^\s*(?:(?:sure|certainly|of course|absolutely|okay|ok)\b[^\n.:]{0,20}[!,.]\s*)?(?:here(?:['’]s| is| are)|below is)\b[^\n:.]{0,100}:\s*"
    r"|^\s*\**(?:reorgani[sz]ed|rewritten|revised|rephrased|paraphrased)?\s*(?:description|version|caption|rewrite)\**\s*:\**\s*|^\s*(?:sure|certainly|of course)[!,.]\s+(?=[A-Z])",
    FLAGS,
)
CLOSING = re.compile(r"\s*\n+\s*(?:\(?note\b|let me know|i hope this|feel free)[^\n]*\s*$", FLAGS)
BOLD = re.compile(r"\*\*(?P<keep>[^*\n]{1,400})\*\*")
