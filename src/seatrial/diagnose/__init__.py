"""What explains a round of observations: the culprit, what cannot be told apart from it, and what to ask next. Pure."""
