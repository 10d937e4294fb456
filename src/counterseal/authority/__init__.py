"""The use cases of the CA, one verb a file. Every edge - command line, protocols, console - ends here."""
