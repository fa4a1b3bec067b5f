"""The command line `marketing-agents`. One module per command; nothing heavy is imported before a command needs it."""
