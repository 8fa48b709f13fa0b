"""The terminal interface: a search box that people leave open all day."""
