"""What each kind of object answers: a file a kind."""
