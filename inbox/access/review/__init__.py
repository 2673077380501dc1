"""What reviewers ask of a policy: lint, diff, explanations, who can, and the impact of a change."""
