"""HTML, also where it lies in mail and books."""
