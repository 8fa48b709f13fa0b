"""XML documents: what they say, without their tags."""
