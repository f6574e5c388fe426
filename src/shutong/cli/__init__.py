"""The command line: ``shutong``. Commands parse words; what they do stands in ``cli.work`` and below."""
