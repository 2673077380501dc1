"""How an explanation of access is shown."""

from inbox.access.question import Capacity
from inbox.access.review.explain import Explanation
from inbox.cli.shown import Form
from inbox.cli.telling import say


def plain(capacity: Capacity, explanation: Explanation) -> dict[str, object]:
    """For a script."""
    decision = explanation.decision
    return {
        "role": capacity.role.value,
        "unit": capacity.unit,
        "action": decision.action,
        "allowed": decision.allowed,
        "rule": decision.rule,
        "duties": sorted(decision.duties),
        "digest": decision.digest,
        "facts": dict(sorted(explanation.facts.items())),
        "rules": [
            {
                "rule": told.rule.id,
                "effect": told.rule.effect.value,
                "matched": told.matched,
                "lacks": list(told.lacks),
                "when": told.rule.when,
            }
            for told in explanation.rules
        ],
    }


def show_explanation(capacity: Capacity, explanation: Explanation, form: Form) -> None:
    """For people: the answer, every fact, every rule."""
    decision = explanation.decision
    answer = "may" if decision.allowed else "may not"
    duties = ", ".join(sorted(decision.duties)) or "none"
    say(f"As {capacity.role.value} in {capacity.unit}: {answer} {decision.action}")
    say(f"rule {decision.rule}, duties {duties}, policy {decision.digest}")
    facts: list[dict[str, object]] = [
        {"fact": name, "holds": "yes" if held else "no"}
        for name, held in sorted(explanation.facts.items())
    ]
    rules: list[dict[str, object]] = [
        {
            "rule": told.rule.id,
            "effect": told.rule.effect.value,
            "matched": "yes" if told.matched else "no",
            "lacks": ", ".join(told.lacks) or None,
            "when": told.rule.when,
        }
        for told in explanation.rules
    ]
    form.show_rows(facts, ("fact", "holds"))
    form.show_rows(rules, ("rule", "effect", "matched", "lacks", "when"))
