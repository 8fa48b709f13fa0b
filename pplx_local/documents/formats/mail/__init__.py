"""Mail: messages, mailboxes, and the words of their headers."""
