"""Opening what was found: at the line or page, and only what is safe to open."""
