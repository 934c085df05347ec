"""What each store of a chain should carry: a core that is the same everywhere, plus products that fit the place."""
