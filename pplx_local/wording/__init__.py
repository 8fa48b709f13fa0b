"""How things are said to a person: what every front end shows in the same words."""
