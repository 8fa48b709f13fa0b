"""Books: EPUB and FB2."""
