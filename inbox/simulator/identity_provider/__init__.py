"""An OpenID Connect provider with people to choose from, as strict as the real ones."""
