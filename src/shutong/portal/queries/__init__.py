"""What pages and the JSON API ask: pure reading of the ready answers, and of the state where people work."""
