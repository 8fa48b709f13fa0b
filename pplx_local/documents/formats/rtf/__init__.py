"""RTF: control words, and the paragraphs that they make."""
