"""What is wrong with a text, said to the person who wrote it: plain words, no ids, no names of rules."""

from __future__ import annotations

from collections.abc import Iterable

from ufine_kit.text.finding import Finding

# Where the finding's own sentence names other texts or repeats what must not be repeated.
SAID = {
    "template": "Several of your texts have the same sentences with only some words exchanged. Describe this person anew.",
    "copy_self": "This is nearly a text that you wrote for another person. Look at this picture and describe it anew.",
    "copy_pair": "This is nearly the other description of this picture. Describe it in your own words.",
    "copy_other": "This is nearly a description that somebody wrote for another picture. Describe what you see in this one.",
    "personal_data": "The text holds personal data (a name, an address, a link or a number). Leave it out.",
    "untouched_draft": "The text came back as it was. Mend what is wrong with it.",
    "too_fast": "The text came faster than anyone can look and type. Take your time, and do not paste.",
    "contradiction": "Another description of this person says otherwise ({message}). Look again.",
    "honeypot": "The text contradicts what can be seen in the picture ({message}). Look again.",
    "ambiguous": "The text fits another person better. Add what tells this person from others.",
}

# Why a text that no check holds back is asked about again.
DOUBT = (
    "A computer model that was trained on these descriptions finds this one nearer to another person. Look whether the text "
    "says what can be seen. If the text is right, leave it as it is and press Submit; if not, put it right."
)


def message(finding: Finding) -> str:
    """The sentence of a finding for its writer: what is wrong, and what to do."""
    told = SAID.get(finding.rule)
    if told is None:
        return f"{finding.message[:1].upper()}{finding.message[1:]}."
    return told.format(message=finding.message.partition(" in `")[0].replace("`", ""))


def reasons(findings: Iterable[Finding]) -> list[str]:
    """The sentences of a text's findings, each once, in their order."""
    return list(dict.fromkeys(message(finding) for finding in findings))
