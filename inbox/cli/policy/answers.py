"""What `inbox policy explain|who-can|what-can` print: rows of tables, sentences, JSON."""

from collections.abc import Iterable, Mapping

from inbox.access.policy.engine import Policy
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import program_vocabulary
from inbox.access.policy.vocabulary import Effect, RuleResult
from inbox.access.question import Capacity
from inbox.access.review.explain import DecisionExplanation, PermittedAction
from inbox.access.review.sentences import AccessSentences
from inbox.access.review.who_can import EmergencyCapacity, PermittedCapacity
from inbox.cli.common.formats import OutputFormat
from inbox.cli.common.language import for_staff, with_headings
from inbox.cli.common.output import print_line
from inbox.cli.policy.bases import basis_row
from inbox.language import TextLanguage


def sentences_for(language: TextLanguage | None) -> AccessSentences:
    """The sentences of these commands: people who review read them."""
    return AccessSentences(vocabulary=program_vocabulary(), language=for_staff(language))


def able_row(able: PermittedCapacity) -> dict[str, object]:
    """Who can, by which rule, and what that takes, in the words of the files."""
    return {
        "person": able.person,
        "unit": able.unit,
        "role": able.role.value,
        "rule": able.rules[0],
        "also": " ".join(able.rules[1:]) or None,
        "takes": able.requires or None,
        "emergency": None,
    }


def able_in_words(able: PermittedCapacity, said: AccessSentences) -> dict[str, object]:
    """The same for people."""
    takes = said.requirements(able.requires) if able.requires else None
    return able_row(able) | {"role": said.role(able.role), "takes": takes}


def emergency_in_words(could: EmergencyCapacity, said: AccessSentences) -> dict[str, object]:
    """By which rule emergency access is taken, and what that takes, for people."""
    rule, requires = could.taking.rules[0], could.taking.requires
    after = said.text("question.after", rule=rule, requires=said.requirements(requires))
    return able_in_words(could.then, said) | {"emergency": after if requires else rule}


def emergency_row(could: EmergencyCapacity) -> dict[str, object]:
    """By which rule emergency access is taken, and what that takes."""
    taking = could.taking
    said = f"{taking.rules[0]}: {taking.requires}" if taking.requires else taking.rules[0]
    return able_row(could.then) | {"emergency": said}


def reach_in_words(
    reach: PermittedAction, policy: Policy, said: AccessSentences
) -> dict[str, object]:
    """What a capacity can do, for people."""
    without = reach.other_subjects_require
    return {
        "role": said.role(reach.capacity.role),
        "unit": reach.capacity.unit,
        "action": said.name(reach.action),
        "messages": reach.messages,
        "takes": said.requirements(reach.requires) if reach.requires else None,
        "shown": " ".join(reach.shown_ids) or None,
        "without message": None if without is None else _without_message(without, said),
        "basis": " ".join(bases_of(reach, policy)),
    }


def _without_message(requires: str, said: AccessSentences) -> str:
    return said.word(requires) if requires == "yes" else said.requirements(requires)


def bases_of(reach: PermittedAction, policy: Policy) -> list[str]:
    """The legal bases of the rules that may allow the action in that capacity, each once."""
    rules = (rule for rule in policy.rules if rule.effect is Effect.ALLOW)
    mine = (rule for rule in rules if rule.applies_to(reach.action, reach.capacity.role))
    return list(dict.fromkeys(basis for rule in mine for basis in rule.bases))


def print_bullet(lines: Iterable[str], form: OutputFormat) -> None:
    """Print a headline and what is below it; in Markdown as a list."""
    for number, line in enumerate(lines):
        if form.is_text:
            print_line(line)
        elif number == 0:
            print_line(f"- {line}")
        elif line.lstrip().startswith("- "):
            print_line(f"  {line}")
        else:
            print_line(f"  - {line.strip()}")


def explanation_json(capacity: Capacity, explanation: DecisionExplanation) -> dict[str, object]:
    """The explanation as a JSON value, for a script."""
    decision = explanation.decision
    return {
        "role": capacity.role.value,
        "unit": capacity.unit,
        "action": decision.action,
        "allowed": decision.allowed,
        "rule": decision.rule,
        "duties": sorted(decision.duties),
        "digest": decision.digest,
        "decided_as": " ".join(explanation.stands_for) or None,
        "basis": [basis_row(basis) for basis in explanation.bases],
        "facts": dict(sorted(explanation.facts.items())),
        "rules": [
            {
                "rule": told.rule.id,
                "effect": told.rule.effect.value,
                "matched": told.matched,
                "lacks": list(told.missing),
                "when": told.rule.when,
                "basis": list(told.rule.bases),
            }
            for told in explanation.rules
        ],
    }


def print_explanation(
    capacity: Capacity,
    explanation: DecisionExplanation,
    bases: Mapping[str, LegalBasis],
    said: AccessSentences,
    form: OutputFormat,
) -> None:
    """Print the explanation for people: the decision, every fact, every rule."""
    print_bullet(said.decision(capacity, explanation), form)
    print_line()
    print_line(said.text("explanation.facts"))
    facts: list[dict[str, object]] = [
        {"fact": said.name(name), "holds": said.word("yes" if held else "no")}
        for name, held in sorted(explanation.facts.items())
    ]
    form.show_rows(*with_headings(facts, ("fact", "holds"), said.texts, said.language))
    print_line()
    print_line(said.text("explanation.rules"))
    for result in explanation.rules:
        headline, *lines = said.rule(result.rule, bases)
        print_bullet((headline, f"  {_match_text(result, said)}", *lines), form)
    print_line()


def _match_text(result: RuleResult, said: AccessSentences) -> str:
    if result.matched:
        return said.text("explanation.matched")
    if not result.missing:
        return said.text("explanation.not_matched")
    missing = [said.literal(each.removeprefix("not "), not each.startswith("not "))
               for each in result.missing]  # fmt: skip
    return said.text("explanation.missing", facts="; ".join(missing))
