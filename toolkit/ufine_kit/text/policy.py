"""Policy words: where a description judges ethnicity, skin or attractiveness (and, if asked, age) of the person."""

from __future__ import annotations

import re

from ufine_kit.text.finding import Span
from ufine_kit.text.words import WORD

_PEOPLE = (
    "man|men|woman|women|boy|boys|girl|girls|lady|ladies|guy|guys|male|female|person|people|individual|pedestrian|gentleman|adult|child|children|"
    "kid|teenager|teen|youth|youngster|student|worker|couple|figure|lad|fellow|mother|father|baby|human|tourist|subject|student"
)
_AGE = "young|middle-aged|middle aged|old|older|elderly|adult|tall|short|slim|thin|fat|chubby|petite|little|teenage|mature|slender|looking|muscular"
_ETHNIC = (
    "asian|east asian|south asian|southeast asian|caucasian|african|african[- ]american|afro[- ]american|hispanic|latino|latina|latinx|chinese|japanese|"
    "korean|indian|pakistani|vietnamese|thai|filipino|mongolian|arab|arabian|arabic|european|middle[- ]eastern|western|eastern|oriental|mixed[- ]race|"
    "biracial|multiracial|jewish|muslim|islamic|mexican|american|russian|british|german|french|italian|nigerian|foreign|black|white|brown|negro|coloured|native american|caucasoid|turkish|iranian|tibetan|uyghur"
)
_ROOTS = "descent|ethnicity|origin|heritage|features|appearance|background|race|nationality|ancestry|looks|facial features|decent"
ETHNICITY = re.compile(
    rf"(?<![\w-])(?:{_ETHNIC})[- ](?:(?:{_AGE})[- ,]{{1,2}}){{0,3}}(?:{_PEOPLE})\b"
    rf"|(?<![\w-])(?:{_ETHNIC})(?:[- ]looking)?[- ](?:{_ROOTS})\b"
    r"|(?<![\w-])(?:asians?|caucasians?|latinos?|latinas?|hispanics?|westerners?|foreigners?|africans?|easterners?|negroes|negro)\b(?![- ](?:style|print|pattern|inspired|char|motif|design|food|restaurant|letter|text|writing|dress|flag|garment|fabric|jacket|shirt|market|script|tunic|robe|cloth|theme))"
    rf"|\b(?:ethnicity|ethnic (?:group|background|origin|minority)|racial(?:ly)?|nationality|skin race)\b|\brace\b(?= (?:is|appears|seems))"
    rf"|\b(?:he|she|they|who|person|man|woman|boy|girl|lady) (?:is|appears|looks|seems|might be|may be|could be)(?: to be| like)?(?: (?:an?|of|probably|likely|possibly|maybe|clearly)){{0,2}} (?:(?!black|white|brown)(?:{_ETHNIC})\b(?=\W*(?:$|[.,;!?)]|(?:and|or|man|woman|person|male|female|with|who|girl|boy)\b))|(?:black|white|brown)(?=\s*(?:$|[.;!?])))",
    re.IGNORECASE,
)
_TONE = (
    "fair|light|dark|darker|lighter|pale|white|black|brown|tan|tanned|olive|wheat|wheaten|yellow|yellowish|golden|bronze|bronzed|rosy|ruddy|ebony|ivory|porcelain|"
    "smooth|flawless|clear|rough|wrinkled|sunburnt|sunburned|honey|caramel|chocolate|warm|healthy|delicate|dusky|swarthy|whitish|brownish|medium|deep|milky|glowing|red|pinkish|pink|sallow"
)
SKIN = re.compile(
    rf"(?<![\w-])(?:{_TONE})(?:[- ](?:toned?|colou?red|brown|white|yellow|complected|golden|tan))*[- ,]{{1,2}}(?:skin(?:ned|s)?|complexion(?:ed)?|complected|skin tones?)\b(?![- ](?:shoes|bag|boots|jacket|coat|colou?red|tight|belt|tights|stockings|leggings|pants|hat))"
    rf"|(?<!snake )(?<!sheep )(?<!lamb )(?<!deer )\b(?:skin|complexion)(?:[- ](?:tone|colou?r))? (?:is|looks|appears|seems|was|has|of)(?: (?:an?|very|quite|rather|relatively|slightly|a bit|fairly|somewhat|more|in|his|her|the|of)){{0,2}} (?:{_TONE})\b"
    r"|\bskin[- ](?:tone|colou?r)\b(?! (?:stockings|tights|leggings|pants|shirt|top|shoes|bag|socks|underwear|clothes|sandals|dress))|\b(?:dark|fair|light|pale|brown|black|white|olive|tan|yellow)[- ]skinned\b|\bcomplexion\b",
    re.IGNORECASE,
)
_CHARM = (
    "beautiful|handsome|pretty|gorgeous|attractive|unattractive|ugly|sexy|good[- ]looking|lovely|charming|stunning|hideous|plain[- ]looking|homely|alluring|seductive|"
    "ravishing|dashing|cute|hot|adorable|unsightly|elegant-looking|nice[- ]looking|fine[- ]looking|pretty-faced|bad[- ]looking|repulsive|enchanting"
)
_FEATURES = "face|smile|figure|legs|features|looks|eyes|lips|body|physique|appearance|curves"
CHARM = re.compile(
    rf"(?<![\w-])(?:{_CHARM})[ ,-]{{1,2}}(?:(?:{_AGE}|and|asian|blonde|blond|brunette|looking)[ ,-]{{1,2}}){{0,3}}(?:{_PEOPLE})\b"
    rf"|(?<![\w-])(?:{_CHARM})[ ,]{{1,2}}(?:(?:facial|round|slim|big|young|long|curvy)[ ,]{{1,2}}){{0,2}}(?:{_FEATURES})\b"
    rf"|\b(?:he|she|they|who|person|man|woman|boy|girl|lady|face)(?:['’]s| is| was| looks| look| appears| seems| are)(?: (?:to be|very|quite|so|really|rather|not|extremely|pretty|somewhat|truly|a|an|both|young|and|tall|slim|overall)){{0,4}} (?:(?!pretty (?!and|with|in|woman|girl|lady|young|for|too))(?:{_CHARM}))\b(?! (?:dress|shirt|jacket|skirt|hat|bag|coat|top|shoes|pants|hair))"
    r"|\bphysically (?:un)?attractive\b|\b(?:beauty|good looks|sex appeal|physical attractiveness|handsomeness)\b|\b(?:looks|looking|is) (?:handsome|gorgeous|sexy|ugly)\b",
    re.IGNORECASE,
)
AGE = re.compile(r"\b(?:young|elderly|middle[- ]aged|old (?:man|woman|lady|person)|teenage[rd]?|in (?:his|her|their) (?:\w+ )?(?:teens|twenties|thirties|forties|fifties|sixties|seventies))\b", re.IGNORECASE)
GROUPS = {"ethnicity": ETHNICITY, "skin": SKIN, "attractiveness": CHARM, "age": AGE}
TRIGGERS = {
    "ethnicity": frozenset(word for word in re.findall("[a-z]+", _ETHNIC + "|asians|caucasians|latinos|latinas|hispanics|westerners|westerner|"
        "foreigners|foreigner|africans|easterners|easterner|negroes|ethnicity|ethnic|racial|racially|nationality|race") if len(word) > 2),
    "skin": frozenset(("skin", "skins", "skinned", "complexion", "complexioned", "complected")),
    "attractiveness": frozenset(re.findall("[a-z]+", _CHARM)) | {"attractiveness", "beauty", "looks", "appeal", "handsomeness"},
    "age": frozenset("young elderly middle old teenage teenager teenaged his her their".split()),
}  # fmt: skip
REFUSED = ("ethnicity", "skin", "attractiveness")


def policy_words(text: str, groups: tuple[str, ...] = REFUSED) -> dict[str, tuple[Span, ...]]:
    """Evidence per group that occurs; a recipe chooses the groups it refuses."""
    said = set(WORD.findall(text.lower().replace("-", " ")))
    found = {
        name: tuple(Span(*m.span(), m.group()) for m in GROUPS[name].finditer(text)) if not said.isdisjoint(TRIGGERS[name]) else ()
        for name in groups
    }
    return {name: spans for name, spans in found.items() if spans}
