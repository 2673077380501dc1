"""How answers about access are shown: a table on a terminal, JSON, or Markdown."""

from collections.abc import Mapping, Sequence

from inbox.access.explaining import Explanation
from inbox.access.subject import Capacity
from inbox.cli.telling import say, say_json, say_table


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


def show_explanation(capacity: Capacity, explanation: Explanation, *, as_markdown: bool) -> None:
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
    show(facts, ("fact", "holds"), as_json=False, as_markdown=as_markdown)
    show(rules, ("rule", "effect", "matched", "lacks", "when"), False, as_markdown)


def show(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str], as_json: bool, as_markdown: bool
) -> None:
    """Rows as a table, as JSON for a script, or as Markdown for a pull request."""
    if as_json:
        say_json(rows)
    elif as_markdown:
        say(f"| {' | '.join(columns)} |")
        say(f"|{' --- |' * len(columns)}")
        for row in rows:
            say(f"| {' | '.join('' if row[c] is None else str(row[c]) for c in columns)} |")
    else:
        say_table(rows, columns)
