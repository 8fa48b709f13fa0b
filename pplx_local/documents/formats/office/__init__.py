"""Documents of Office, OpenDocument and Apple: texts and slides."""
