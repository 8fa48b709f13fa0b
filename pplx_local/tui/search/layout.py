"""Where the parts of the search screen lie, on screens of all sizes."""

from __future__ import annotations

from typing import Final

LAYOUT: Final = """
SearchScreen {
    layout: vertical;
    #ask { height: 1; layout: horizontal; }
    #prompt { width: 3; color: $text-primary; text-style: bold; padding: 0 1; }
    #mode { width: auto; color: $text-accent; text-style: bold; padding: 0 1; }
    #doing { width: auto; max-width: 50%; color: $text-muted; }
    #query { width: 1fr; }
    #found { height: 1fr; layout: horizontal; }
    #results { width: 1fr; }
    #preview, #picture { width: 1fr; border-left: vkey $surface-lighten-2; padding: 0 1; }
    #summary { height: 1; padding: 0 1; background: $surface; }
}
SearchScreen.-narrow #found { layout: vertical; }
SearchScreen.-picture #picture { display: block; }
SearchScreen.-picture #preview { display: none; }
SearchScreen.-narrow #preview, SearchScreen.-narrow #picture {
    border-left: none;
    border-top: hkey $surface-lighten-2;
}
SearchScreen.-narrow.-low #preview, SearchScreen.-narrow.-low #picture { display: none; }
SearchScreen.-narrow #doing { display: none; }
SearchScreen.-no-preview #preview, SearchScreen.-no-preview #picture { display: none; }
"""
