"""Looking after a home: backup, restore, doctor, upgrade."""
