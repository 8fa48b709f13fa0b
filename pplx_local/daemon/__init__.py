"""The background indexer: one writer for each home, asked over a unix socket."""
